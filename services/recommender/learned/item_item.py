"""Item–item weights: what goes with what a customer dealt with, score_i = Σ_j w_j·B_ji over the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ItemItem:
    """The strongest neighbours of each item, in three flat arrays (compressed rows)."""

    items: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    """[items + 1]: item j's neighbours are at starts[j]:starts[j + 1]."""
    neighbours: Ids
    weights: Floats
    fading: float = 1.0
    """What an interaction counts for against the one after it: 1: all alike, 0.5: half."""
    number: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", {item: at for at, item in enumerate(self.items)})

    def of(self, item: int) -> tuple[Ids, Floats]:
        """Neighbours of one item and their weights."""
        row = slice(int(self.starts[item]), int(self.starts[item + 1]))
        return self.neighbours[row], self.weights[row]

    def scored(self, history: Sequence[int]) -> tuple[Ids, Floats, Ids]:
        """For a history of item numbers, oldest first: the items it leads to, their scores, and for each the item of
        the history that adds most to it. Items of the history are among them where they are neighbours."""
        parts = []
        for age, seed in enumerate(dict.fromkeys(reversed(history))):
            neighbours, weights = self.of(seed)
            parts.append((neighbours, weights * np.float32(self.fading**age), np.full(len(neighbours), seed, np.int32)))
        if not parts:
            return np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int32)
        found, added, seeds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        # By item, and within it the largest part first.
        order = np.lexsort((-added, found))
        found, added, seeds = found[order], added[order], seeds[order]
        first = np.flatnonzero(np.concatenate(([True], found[1:] != found[:-1]))) if len(found) else found
        return found[first], np.add.reduceat(added, first) if len(first) else added, seeds[first]
