"""Labelled text: reading it from files, and splitting it so that every label is in both parts."""

from __future__ import annotations

import csv
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport.ops.errors import InvalidRequest

# Below this many of a label there is nothing to learn, and nothing to measure it by.
_LEAST_OF_A_LABEL = 5


@dataclass(frozen=True, slots=True)
class Example:
    label: str
    text: str


def read_examples(file: Path) -> list[Example]:
    """JSON lines (objects with label and text), or CSV / TSV with these columns. Rows without either are left out.

    Raises `InvalidRequest` naming what is wrong with the file.
    """
    try:
        rows = [*_rows(file)]
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}", field="file") from error
    found = [
        Example(str(row["label"]).strip(), str(row["text"]).strip())
        for row in rows
        if isinstance(row, dict) and str(row.get("label") or "").strip() and str(row.get("text") or "").strip()
    ]
    labels = {example.label for example in found}
    short = sorted(label for label in labels if sum(each.label == label for each in found) < _LEAST_OF_A_LABEL)
    if len(labels) < 2 or short:
        wrong = f"fewer than {_LEAST_OF_A_LABEL} examples of {', '.join(short)}" if short else "fewer than two labels"
        raise InvalidRequest(f"{file}: {wrong}", field="file", fix="give label and text in every row")
    return found


def split(examples: Sequence[Example], share: float, seed: int = 0) -> tuple[list[Example], list[Example]]:
    """The larger part and a stratified `share` of it set aside; the same seed gives the same parts."""
    by_label: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_label[example.label].append(example)
    dice = random.Random(seed)
    kept: list[Example] = []
    aside: list[Example] = []
    for label in sorted(by_label):
        group = by_label[label]
        dice.shuffle(group)
        number = max(1, round(share * len(group)))
        aside += group[:number]
        kept += group[number:]
    dice.shuffle(kept)
    return kept, aside


def _rows(file: Path) -> Iterator[object]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        if file.suffix in (".jsonl", ".json", ".ndjson"):
            yield from (json.loads(line) for line in lines if line.strip())
        else:
            yield from csv.DictReader(lines, delimiter="\t" if file.suffix == ".tsv" else ",")
