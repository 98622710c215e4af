"""docs/operating.md names every metric, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SUFFIX = {"counter": "_total", "gauge": "", "histogram": ""}


def _made() -> Iterator[str]:
    for room in ("shared", "services"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SUFFIX:
                    name = node.args[0]
                    assert isinstance(name, ast.Constant), f"{path}:{node.lineno}: a metric's name is a literal"
                    yield f"rapport_{name.value!s}{SUFFIX[node.func.id]}"


def test_the_page_names_every_metric_and_no_other() -> None:
    named = re.findall(r"`(rapport_\w+)`", (ROOT / "docs" / "operating.md").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(_made())
