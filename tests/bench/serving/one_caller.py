"""What one caller waits longer for than if he called the model himself.

Text by text the same request goes all ways, in an order that changes with each text, and the differences are taken
within the text: what else happens on the machine meets all ways alike, so their median holds on a busy one too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import sqrt

import numpy as np

from rapport.models.ports import ModelId, Role, Rows, SequenceBackend
from tests.bench.figures import Row, percentile
from tests.bench.serving.served import Ask, served


class Instant:
    """A model that takes no time: what is left is what a call costs on its way to one and back."""

    model, dimensions, batch_tokens = ModelId("instant", "1"), 384, 2_048

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        return [[0]] * len(texts)

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        return np.full((len(sequences), self.dimensions), self.dimensions**-0.5, dtype=np.float32)


async def one_caller(name: str, backend: SequenceBackend, texts: Sequence[str]) -> list[Row]:
    """Milliseconds of a direct call, and by how much each of our ways is longer: medians with a 95 % interval."""
    took: dict[str, list[float]] = {"direct": []}
    async with served(backend) as asked:
        took |= {way: [] for way in asked}
        ways: list[tuple[str, Ask]] = [("direct", _directly(backend)), *asked.items()]
        for number, text in enumerate(texts):
            first = number % len(ways)
            for way, ask in ways[first:] + ways[:first]:
                began = time.perf_counter()
                await ask(text)
                took[way].append((time.perf_counter() - began) * 1000)
    rows: list[Row] = [{"backend": name, "way": "direct", "median ms": percentile(took["direct"], 0.5)}]
    for way in asked:
        longer = [ours - direct for ours, direct in zip(took[way], took["direct"], strict=True)]
        low, high = _interval(longer)
        rows.append(
            {
                "backend": name,
                "way": way,
                "median ms": percentile(took[way], 0.5),
                "longer by ms": percentile(longer, 0.5),
                "at least": low,
                "at most": high,
            }
        )
    return rows


def _directly(backend: SequenceBackend) -> Ask:
    async def ask(text: str) -> object:
        return backend.forward(backend.tokenize([text], Role.PASSAGE))

    return ask


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """Of the median, by the ranks that a binomial count leaves out on either side with 2.5 % (normal approximation)."""
    half = 1.96 * sqrt(len(values)) / 2 / len(values)
    return percentile(values, 0.5 - half), percentile(values, 0.5 + half)
