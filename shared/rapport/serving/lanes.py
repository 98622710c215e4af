"""Two first-in-first-out queues, interactive and bulk, and whose turn it is."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Generic, TypeVar

from rapport.serving.vocabulary import Priority

Item = TypeVar("Item")

# While both wait, every fourth turn begins with bulk: it slows interactive work by a third at worst and never starves.
BULK_EVERY = 4


class Lanes(Generic[Item]):
    """Unbounded by itself: whoever fills it counts."""

    def __init__(self) -> None:
        self._lanes: dict[Priority, deque[Item]] = {priority: deque() for priority in Priority}
        self._turns = 0

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def put(self, item: Item, priority: Priority) -> None:
        """Behind all others of its priority."""
        self._lanes[priority].append(item)

    def drop(self, item: Item, priority: Priority) -> None:
        """Takes `item` out wherever it stands; nothing when it has been taken already."""
        with contextlib.suppress(ValueError):
            self._lanes[priority].remove(item)

    def urgent(self, lane: deque[Item]) -> bool:
        """Whether somebody waits for what is in this lane."""
        return lane is self._lanes[Priority.INTERACTIVE]

    def turn(self) -> list[deque[Item]]:
        """The lanes in the order in which this turn should empty them; the taker pops from their left."""
        interactive, bulk = self._lanes[Priority.INTERACTIVE], self._lanes[Priority.BULK]
        order = [interactive, bulk]
        if interactive and bulk:
            self._turns += 1
            if self._turns % BULK_EVERY == 0:
                order.reverse()
        return order
