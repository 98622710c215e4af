"""Shop texts to embed: short ones, as queries and titles are, and mixed lengths, as products and reviews are."""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEFAULT = Path("/work/shared/data/amazon-beauty-titles/asin_title_joined.tsv")
_SHORT = 60


@dataclass(frozen=True, slots=True)
class TextSet:
    name: str
    texts: list[str]


def text_sets(file: Path, count: int) -> Iterator[TextSet]:
    """`count` texts each, drawn with a fixed seed; ends the program with a clear word when the file is not there."""
    if not file.is_file():
        sys.exit(f"no texts at {file}: give --texts FILE with a product title a line")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t") if file.suffix == ".tsv" else None
        titles = [row["name"] for row in rows if row.get("name")] if rows else [line.strip() for line in lines]
    dice = random.Random(0)
    dice.shuffle(titles)
    yield TextSet("short", [f"{title[:_SHORT]} {number}" for number, title in enumerate(titles[:count])])
    mixed = (" ".join(dice.choices(titles, k=dice.choice((1, 1, 1, 2, 4, 10)))) for _ in range(count))
    yield TextSet("mixed", [f"{text} {number}" for number, text in enumerate(mixed)])
