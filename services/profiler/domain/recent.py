"""Bounded memories, ordered by event time."""

from __future__ import annotations

import hashlib

from services.profiler.domain.observation import Observation

# Events of one customer among which a repeated id is noticed. The bus compares ids too, over a longer stretch of the
# partition; this one is part of the state, so it holds wherever the partition moves. 9 bytes each.
DUPLICATE_WINDOW = 64


def touch(times: dict[str, int], name: str, at: int, limit: int) -> None:
    """`name` was seen at `at`. Keeps the `limit` newest; the later arrival is the newer one of two at the same time."""
    times[name] = max(at, times.pop(name, at))
    if len(times) > limit:
        del times[min(times, key=times.__getitem__)]


def newest_first(times: dict[str, int]) -> tuple[str, ...]:
    """Names by time, newest first."""
    return tuple(sorted(times, key=times.__getitem__)[::-1])


def is_new(fingerprints: list[int], observation: Observation) -> bool:
    """Remembers the event by its CloudEvents identity (source and id); False when it was in the window already."""
    identity = f"{observation.source}\n{observation.event_id}".encode()
    mark = int.from_bytes(hashlib.blake2b(identity, digest_size=8).digest())
    if mark in fingerprints:
        return False
    fingerprints.append(mark)
    del fingerprints[:-DUPLICATE_WINDOW]
    return True
