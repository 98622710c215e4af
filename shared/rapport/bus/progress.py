"""How far each partition has come: what lag, readiness and the watchdog are told from."""

from __future__ import annotations

import time
from dataclasses import dataclass

Place = tuple[str, int]
"""Topic (the broker's name) and partition."""


@dataclass(slots=True)
class _Partition:
    offset: int
    lag: int | None
    moved_at: float


class Progress:
    """The partitions that this process owns, and when each last showed life."""

    def __init__(self) -> None:
        self._partitions: dict[Place, _Partition] = {}
        self._awaited: set[Place] = set()

    @property
    def complete(self) -> bool:
        """Every partition that was given to us has begun."""
        return not self._awaited

    def expect(self, place: Place) -> None:
        """The partition was given to us; its state and window are being read."""
        self._awaited.add(place)

    def owned(self) -> list[Place]:
        return sorted(self._partitions)

    def begin(self, place: Place, offset: int) -> None:
        """The partition is ours, and `offset` is the next to be handled."""
        self._awaited.discard(place)
        self._partitions[place] = _Partition(offset, None, time.monotonic())

    def alive(self, place: Place) -> None:
        """Something is being tried there."""
        if place in self._partitions:
            self._partitions[place].moved_at = time.monotonic()

    def reach(self, place: Place, offset: int) -> None:
        """Everything below `offset` is done and committed."""
        if place in self._partitions:
            partition = self._partitions[place]
            partition.offset, partition.moved_at = offset, time.monotonic()

    def idle(self, place: Place, offset: int) -> None:
        """Nothing to read below `offset`.

        Transaction markers and compacted gaps are passed so; it is no sign of life.
        """
        partition = self._partitions.get(place)
        if partition is not None:
            partition.offset = max(partition.offset, offset)

    def end(self, place: Place) -> None:
        """The partition is not ours any more."""
        self._awaited.discard(place)
        self._partitions.pop(place, None)

    def look(self, place: Place, end: int) -> int | None:
        """The lag when the topic ends at `end`; None when the partition has gone meanwhile."""
        partition = self._partitions.get(place)
        if partition is None:
            return None
        partition.lag = max(0, end - partition.offset)
        if partition.lag == 0:
            partition.moved_at = time.monotonic()
        return partition.lag

    def lag(self) -> int:
        """Messages behind, over all owned partitions, as last looked at."""
        return sum(partition.lag or 0 for partition in self._partitions.values())

    def stalled(self, after_s: float) -> list[Place]:
        """Partitions with lag that have shown no life for `after_s`."""
        now = time.monotonic()
        return [
            place
            for place, partition in self._partitions.items()
            if partition.lag and now - partition.moved_at > after_s
        ]
