"""Who dealt with what, in order: the one form in which models are trained and judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Ids = npt.NDArray[np.int32]
Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class Interaction(NamedTuple):
    """One customer dealt with one item."""

    user: str
    item: str
    at_ms: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Histories:
    """Each user's interactions, oldest first, end to end in flat arrays."""

    users: tuple[str, ...]
    items: tuple[str, ...]
    """The catalogue: what the numbers in `item` point to. May hold items that nobody dealt with."""
    starts: npt.NDArray[np.int64]
    """[users + 1]: user u's rows are starts[u]:starts[u + 1]."""
    item: Ids
    """[rows]"""
    at_ms: Times
    """[rows]; 0 where times are not known."""
    weight: Floats
    """[rows]: how much each says of taste; see `training.signals`."""

    def __len__(self) -> int:
        """Interactions."""
        return len(self.item)

    def of(self, user: int) -> Ids:
        """Item numbers of one user, oldest first."""
        return self.item[self.starts[user] : self.starts[user + 1]]

    def lengths(self) -> npt.NDArray[np.int64]:
        """[users]: interactions of each."""
        return np.diff(self.starts)

    def owner(self) -> Ids:
        """[rows]: the user of each row."""
        return np.repeat(np.arange(len(self.users), dtype=np.int32), self.lengths())

    def where(self, keep: npt.NDArray[np.bool_]) -> Histories:
        """The rows for which `keep` [rows] holds; users and items stay, with fewer rows or none."""
        counts = np.bincount(self.owner()[keep], minlength=len(self.users))
        starts = np.concatenate(([0], np.cumsum(counts)))
        return Histories(self.users, self.items, starts, self.item[keep], self.at_ms[keep], self.weight[keep])

    def distinct(self) -> Histories:
        """Each user's first interaction with each item."""
        pairs = self.owner().astype(np.int64) * len(self.items) + self.item
        keep = np.zeros(len(self), dtype=np.bool_)
        keep[np.unique(pairs, return_index=True)[1]] = True
        return self.where(keep)

    def matrix(self) -> csr_matrix:
        """float32 [users, items]: 1 where the user dealt with the item."""
        shape = (len(self.users), len(self.items))
        rows = csr_matrix((np.ones(len(self), np.float32), (self.owner(), self.item)), shape=shape)
        rows.sum_duplicates()
        rows.data[:] = 1.0
        return rows

    def weights(self) -> csr_matrix:
        """float32 [users, items]: summed weights, those at or below zero left out."""
        shape = (len(self.users), len(self.items))
        rows = csr_matrix((self.weight, (self.owner(), self.item)), shape=shape)
        rows.sum_duplicates()
        rows.data = np.maximum(rows.data, 0.0)
        rows.eliminate_zeros()
        return rows

    def popularity(self) -> npt.NDArray[np.int64]:
        """[items]: interactions with each."""
        return np.bincount(self.item, minlength=len(self.items))


def histories(interactions: Iterable[Interaction], items: Sequence[str] = ()) -> Histories:
    """Sorted by user and time; equal times keep their order. `items`: a catalogue that comes first in the numbering."""
    user_number: dict[str, int] = {}
    item_number = {item: number for number, item in enumerate(items)}
    rows = [
        (user_number.setdefault(one.user, len(user_number)), item_number.setdefault(one.item, len(item_number)), one)
        for one in interactions
    ]
    user = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    at_ms = np.fromiter((row[2].at_ms for row in rows), np.int64, len(rows))
    order = np.lexsort((np.arange(len(rows)), at_ms, user))
    return Histories(
        tuple(user_number),
        tuple(item_number),
        np.concatenate(([0], np.cumsum(np.bincount(user, minlength=len(user_number))))).astype(np.int64),
        np.fromiter((row[1] for row in rows), np.int32, len(rows))[order],
        at_ms[order],
        np.fromiter((row[2].weight for row in rows), np.float32, len(rows))[order],
    )
