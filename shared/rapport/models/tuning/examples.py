"""Labelled text: reading it from files, and splitting it so that every label is in both parts."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import InvalidRequest

# Below this many of a label there is nothing to learn, and nothing to measure it by.
_LEAST_OF_A_LABEL = 5


@dataclass(frozen=True, slots=True)
class Example:
    """`label` "": none applies, which only a multi-label classifier can learn. `also`: further labels of the text."""

    label: str
    text: str
    also: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        return (self.label, *self.also) if self.label else ()


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
    counts = Counter(example.label for example in found)
    short = sorted(label for label, count in counts.items() if count < _LEAST_OF_A_LABEL)
    if len(counts) < 2 or short:
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


def labels_of(examples: Sequence[Example]) -> tuple[str, ...]:
    """All labels there are, sorted: the columns of a classifier's scores."""
    return tuple(sorted({label for example in examples for label in example.labels}))


def truth_of(examples: Sequence[Example], labels: Sequence[str]) -> npt.NDArray[np.bool_]:
    """[examples, labels]: which of `labels` each example has; one that is not among them is passed over."""
    columns = {label: column for column, label in enumerate(labels)}
    truth = np.zeros((len(examples), len(labels)), dtype=np.bool_)
    for row, example in enumerate(examples):
        for label in example.labels:
            if label in columns:
                truth[row, columns[label]] = True
    return truth


def _rows(file: Path) -> Iterator[object]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        if file.suffix in (".jsonl", ".json", ".ndjson"):
            yield from (json.loads(line) for line in lines if line.strip())
        else:
            yield from csv.DictReader(lines, delimiter="\t" if file.suffix == ".tsv" else ",")
