"""Importing opens nothing: no thread, no socket, no process; and no model library where none is needed."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Sequence

import pytest

# Ends the import at the first thing opened, with a traceback that shows the line.
_IMPORT = textwrap.dedent("""
    import importlib, json, pkgutil, sys

    OPENING = {
        "_thread.start_new_thread", "socket.bind", "socket.connect", "socket.getaddrinfo", "subprocess.Popen",
        "os.fork", "os.posix_spawn", "os.system",
    }

    def refuse(event, arguments):
        if event in OPENING:
            raise RuntimeError(f"{event} while importing")

    def modules(name):
        package = importlib.import_module(name)
        yield name
        for module in pkgutil.walk_packages(getattr(package, "__path__", []), f"{name}."):
            if not module.name.endswith("__main__"):
                yield module.name

    rooms, without, first = json.loads(sys.argv[1])
    for library in first:
        importlib.import_module(library)
    sys.addaudithook(refuse)
    done = 0
    for room in rooms:
        for name in modules(room):
            importlib.import_module(name)
            done += 1
            for library in without:
                if library in sys.modules:
                    sys.exit(f"{name} imports {library}")
    print(done)
""")
HEAVY = ["torch", "transformers"]
SERVICES = ("profiler", "recommender", "chatbot", "content")


def _import(rooms: list[str], *, without: Sequence[str] = (), first: Sequence[str] = ()) -> int:
    command = [sys.executable, "-W", "ignore", "-c", _IMPORT, json.dumps([rooms, without, first])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_importing_any_module_opens_nothing() -> None:
    # Torch asks the system for its libraries while it is imported, which is its own affair.
    assert _import(["rapport", "services"], first=["torch"]) > 80


@pytest.mark.parametrize("room", ["ops", "bus", "events", "vectors", "text", "testing", "contracts", "serving.client"])
def test_no_model_library_comes_with(room: str) -> None:
    _import([f"rapport.{room}"], without=HEAVY)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_s_own_process_runs_without_model_libraries(service: str) -> None:
    _import([f"services.{service}.domain", f"services.{service}.bootstrap"], without=HEAVY)
