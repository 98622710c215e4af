"""Example sentences of intents, from a shop's file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport.ingest.rows import read_rows
from rapport.ops.errors import InvalidRequest
from rapport.text.normalise import normalise

# An intent with fewer has nothing left to be tried on after the five folds have taken theirs.
LEAST = 10


@dataclass(frozen=True, slots=True)
class Given:
    """`pairs`: text and intent, each text once. `refused`: what was left out and why, row by row."""

    pairs: Sequence[tuple[str, str]]
    refused: Sequence[str]


def read_examples(file: Path, text: str = "text", intent: str = "intent", *, least: int = LEAST) -> Given:
    """Rows with the columns `text` and `intent`. Raises `InvalidRequest` naming the file's columns when these lack, and
    for an intent of fewer than `least` examples."""
    found: dict[str, str] = {}
    refused: list[str] = []
    columns: set[str] = set()
    for row in read_rows(file):
        if row.problem:
            refused.append(f"row {row.number}: {row.problem}")
            continue
        columns |= row.values.keys()
        said, name = normalise(str(row.values.get(text, ""))), str(row.values.get(intent, "")).strip()
        if not said or not name:
            refused.append(f"row {row.number}: {'text' if not said else 'intent'} is empty")
        elif found.get(said, name) != name:
            refused.append(f"row {row.number}: {said!r} stands for {found[said]} already")
        else:
            found[said] = name
    if not {text, intent} <= columns:
        raise InvalidRequest(
            f"{file.name} lacks the columns {text} and {intent}",
            field="FILE",
            fix=f"there: {', '.join(sorted(columns)) or 'none'}; name yours with --text and --intent",
        )
    _enough(Counter(found.values()), least)
    return Given(list(found.items()), refused)


def _enough(counts: Counter[str], least: int) -> None:
    if not counts:
        raise InvalidRequest("no examples", field="FILE", fix=f"at least {least} rows an intent")
    name, count = min(counts.items(), key=lambda pair: pair[1])
    if count < least:
        raise InvalidRequest(f"intent {name} has {count} examples", field="FILE", fix=f"at least {least}")
