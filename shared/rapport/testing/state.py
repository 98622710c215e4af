"""Keyed state in memory."""

from __future__ import annotations

from rapport.bus.messages import Position


class MemoryKeyedState:
    """A `KeyedState` that forgets all at the end of the test. Keeps one offset a key, topic and partition."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._offsets: dict[tuple[str, str, int], int] = {}

    def get(self, key: str) -> bytes | None:
        return self._values.get(key)

    def includes(self, key: str, position: Position) -> bool:
        return self._offsets.get((key, position.topic, position.partition), -1) >= position.offset

    def put(self, key: str, value: bytes, position: Position) -> None:
        self._values[key] = value
        self._offsets[key, position.topic, position.partition] = position.offset

    def delete(self, key: str) -> None:
        self._values.pop(key, None)
        for place in [place for place in self._offsets if place[0] == key]:
            del self._offsets[place]
