"""What the code imports, pyproject.toml declares: not left to what other packages happen to bring along."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.local.settings import REPOSITORY

OURS = {"rapport", "services", "deploy"}
# Extras that a room may count on beside the dependencies: commands of `deploy` check and generate code.
ROOMS = {"shared": ("embedded",), "services": ("embedded",), "deploy": ("embedded", "dev")}


def imported(file: Path) -> Iterator[str]:
    """Top-level packages, wherever in the file they are imported."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_every_import_is_declared(room: str) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [text for extra in ROOMS[room] for text in project["optional-dependencies"][extra]]
    declared = {canonicalize_name(Requirement(text).name) for text in [*project["dependencies"], *extras]}
    brought_by = packages_distributions()
    undeclared = {
        f"{file.relative_to(REPOSITORY)}: {name}"
        for file in (REPOSITORY / room).rglob("*.py")
        for name in imported(file)
        if name not in sys.stdlib_module_names | OURS
        and not declared & {canonicalize_name(each) for each in brought_by.get(name, ())}
    }
    assert not undeclared
