"""How far event time has come, over partitions that are read at different speeds."""

from __future__ import annotations

# A partition that nothing came from while the others had so many batches is quiet, and holds nobody back any more.
_QUIET_AFTER = 500


class Watermark:
    """The earliest of the partitions' newest times: what is before it will not be heard of, save for late events."""

    def __init__(self) -> None:
        self._newest: dict[int, tuple[int, int]] = {}
        self._batches = 0

    def advance(self, newest: dict[int, int]) -> int:
        """After a batch with the newest event time of each of its partitions; epoch milliseconds."""
        self._batches += 1
        for partition, at in newest.items():
            before = self._newest.get(partition, (0, 0))[0]
            self._newest[partition] = (max(before, at), self._batches)
        active = [at for at, batch in self._newest.values() if self._batches - batch < _QUIET_AFTER]
        return min(active)
