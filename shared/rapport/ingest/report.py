"""What became of the rows of a file."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rapport.ingest.building import Refused

# Row numbers shown for each reason: enough to look some up, few enough to read.
_SAMPLES = 5


@dataclass
class Report:
    """Counts of rows. rows = published rows + refused rows + repeated rows, always."""

    rows: int = 0
    events: int = 0
    published_rows: int = 0
    repeated_rows: int = 0
    refused_rows: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def refuse(self, refused: Refused, log: TextIO | None) -> None:
        """Counts refused rows and writes them, with the reason, as JSON lines."""
        reason = (refused.field, refused.reason)
        numbers = self.samples.setdefault(reason, [])
        for row in refused.rows:
            self.rows += 1
            self.refused_rows += 1
            self.reasons[reason] += 1
            if len(numbers) < _SAMPLES:
                numbers.append(row.number)
            if log is not None:
                line = {"row": row.number, "field": refused.field, "reason": refused.reason, "values": dict(row.values)}
                log.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")


def default_refused_path(source: Path, folder: Path) -> Path:
    """Where refused rows of `source` go, when nobody says otherwise."""
    return folder / f"{source.name.split('.')[0]}.refused.jsonl"
