"""Figures for people (a table) and for machines (a file of JSON), with the machine that they are from."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(share * len(ranked)) - 1))]


def report(protocol: str, rows: Sequence[Row], file: Path | None) -> None:
    """Prints the rows under the first paragraph of the protocol, and keeps them in `file`."""
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shown = [[_text(row.get(name, "")) for name in columns] for row in rows]
    widths = [max(len(name), *(len(line[at]) for line in shown)) for at, name in enumerate(columns)]
    print(f"\n{protocol.strip().splitlines()[0]} ({machine})")
    for line in [columns, *shown]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if file is not None:
        file.write_text(
            json.dumps({"protocol": protocol, "machine": machine, "rows": [dict(row) for row in rows]}, indent=1)
        )


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return str(value)
