"""The arrows of DESIGN §3, held: deploy → services → rapport → contracts, and what each room may import.

Read from the source, so an import inside a function counts too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MODEL_LIBRARIES = {"torch", "transformers", "safetensors", "gguf", "sentence_transformers"}
TRANSPORTS = {
    "aiokafka",
    "faust",
    "mode",
    "kafka",
    "redis",
    "grpc",
    "fastapi",
    "starlette",
    "uvicorn",
    "httpx",
    "cloudevents",
}
# Besides the standard library: arrays, libraries that turn data into data, and the rooms of ours that are plain.
DOMAIN_MAY = {
    "numpy", "scipy", "pydantic", "msgspec", "yaml", "jinja2", "rjieba", "growthbook", "cel", "rapidfuzz",
    "rapport.events", "rapport.text", "rapport.ops.errors", "rapport.vectors.packing",
}  # fmt: skip
# What of the standard library reaches outside: a domain decides, it does not act.
DOMAIN_MAY_NOT = {"socket", "subprocess", "threading", "asyncio", "urllib.request", "http", "multiprocessing"}


def _imports(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported; `from a import b` counts as a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: -node.level + 1 or None]) if node.level else ""
            stem = ".".join(part for part in (base, node.module) if part)
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)


def _within(name: str, rooms: set[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def _module(path: Path) -> list[str]:
    parts = list(path.with_suffix("").parts)
    return parts[1:] if parts[0] == "shared" else parts


Where = Sequence[str]
"""A module's name in parts: rapport, bus, consumer."""


def _may_use_models(where: Where) -> bool:
    rooms = {("rapport", "models"), ("rapport", "serving")}
    return tuple(where[:2]) in rooms or bool({"worker", "training"} & {*where})


def _domain_may(where: Where, name: str) -> bool:
    own = ".".join(where[: where.index("domain") + 1])
    top = name.partition(".")[0]
    plain = top in sys.stdlib_module_names and not _within(name, DOMAIN_MAY_NOT)
    return plain or _within(name, {own} | DOMAIN_MAY)


RULES: tuple[tuple[str, Callable[[Where, str], bool]], ...] = (
    ("only tests import tests", lambda _, name: _within(name, {"tests"})),
    (
        "rapport knows no service and no deployment",
        lambda where, name: where[0] == "rapport" and _within(name, {"services", "deploy"}),
    ),
    (
        "contracts stand alone",
        lambda where, name: (
            where[:2] == ["rapport", "contracts"]
            and _within(name, {"rapport"})
            and not _within(name, {"rapport.contracts"})
        ),
    ),
    ("a service knows no deployment", lambda where, name: where[0] == "services" and _within(name, {"deploy"})),
    (
        "a service never imports another service",
        lambda where, name: (
            where[0] == "services" and _within(name, {"services"}) and not _within(name, {".".join(where[:2])})
        ),
    ),
    (
        "fakes are for tests",
        lambda where, name: where[:2] != ["rapport", "testing"] and _within(name, {"rapport.testing"}),
    ),
    (
        "model libraries belong to services/*/worker, rapport/models and rapport/serving",
        lambda where, name: _within(name, MODEL_LIBRARIES) and not _may_use_models(where),
    ),
    ("a domain is plain Python and numpy", lambda where, name: "domain" in where and not _domain_may(where, name)),
    (
        "handlers know no transport",
        lambda where, name: bool({"handlers", "ports"} & set(where)) and _within(name, TRANSPORTS),
    ),
)


def violations(path: Path, source: str) -> list[str]:
    """`path:line: why` for each import that breaks an arrow; `path` is relative to the root."""
    where = _module(path)
    package = ".".join(where if path.name == "__init__.py" else where[:-1])
    return [
        f"{path}:{line}: {name}: {why}"
        for line, name in _imports(source, package.removesuffix(".__init__"))
        for why, broken in RULES
        if broken(where, name)
    ]


def _sources() -> list[Path]:
    rooms = (ROOT / "shared", ROOT / "services", ROOT / "deploy")
    return [path.relative_to(ROOT) for room in rooms for path in sorted(room.rglob("*.py"))]


def test_the_arrows_point_one_way() -> None:
    sources = _sources()
    assert len(sources) > 50, "the tree was not found"
    wrong = [line for path in sources for line in violations(path, (ROOT / path).read_text())]
    assert not wrong, "\n".join(["", *wrong])


def test_the_environment_is_read_in_settings_alone() -> None:
    wrong = [
        f"{path}:{node.lineno}: os.{node.attr}"
        for path in _sources()
        if path.name != "settings.py" and path.parts[0] != "deploy"  # which hands environments to its children
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert not wrong, "\n".join(["", *wrong])


@pytest.mark.parametrize(
    ("path", "source", "right"),
    [
        ("shared/rapport/bus/consumer.py", "import services.profiler", False),
        ("shared/rapport/bus/consumer.py", "from rapport.testing import FakeEncoder", False),
        ("shared/rapport/bus/consumer.py", "def f():\n    import torch", False),
        ("shared/rapport/contracts/worker/v1/x_pb2.py", "from rapport.ops import errors", False),
        ("services/chatbot/handlers.py", "from services.profiler.domain import needs", False),
        ("services/chatbot/handlers.py", "from .. import profiler", False),
        ("services/chatbot/handlers.py", "import grpc", False),
        ("services/chatbot/handlers.py", "from rapport.bus.messages import Message", True),
        ("services/chatbot/stream.py", "import deploy.local", False),
        ("services/chatbot/domain/a.py", "from rapport.vectors.store import EmbeddingStore", False),
        ("services/chatbot/domain/a.py", "import subprocess", False),
        ("services/chatbot/domain/a.py", "from services.chatbot.adapters import redis", False),
        ("services/chatbot/domain/a.py", "from .b import c\nimport numpy as np, math", True),
        ("services/chatbot/worker/models.py", "import torch", True),
        ("services/chatbot/bootstrap.py", "import torch", False),
        ("shared/rapport/serving/torch_backend.py", "import torch", True),
        ("deploy/cli/up.py", "from services.profiler import settings", True),
    ],
)  # fmt: skip
def test_a_broken_arrow_is_seen(path: str, source: str, right: bool) -> None:
    assert (violations(Path(path), source) == []) == right
