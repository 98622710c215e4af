"""Redis's part of the vector stores, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

# Pages as small as this make a test with a handful of keys go through more than one.
_PAGE = 3


class MemoryKeyValues:
    """A `KeyValues` for `EmbeddingStore` and `ServingCopy`; `round_trips` counts what would have been sent."""

    def __init__(self) -> None:
        self.round_trips = 0
        self._values: dict[str, bytes] = {}
        self._sets: dict[str, set[bytes]] = {}

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        self.round_trips += bool(keys)
        return [self._values.get(key) for key in keys]

    async def write(
        self,
        values: Mapping[str, bytes],
        *,
        if_absent: Mapping[str, bytes] | None = None,
        members: Mapping[str, bytes] | None = None,
    ) -> None:
        self.round_trips += bool(values or if_absent or members)
        self._values.update(values)
        for key, value in (if_absent or {}).items():
            self._values.setdefault(key, value)
        for key, member in (members or {}).items():
            self._sets.setdefault(key, set()).add(member)

    async def delete(self, keys: Sequence[str]) -> int:
        self.round_trips += bool(keys)
        removed = [self._values.pop(key, None) for key in keys]
        return sum(value is not None for value in removed)

    async def members(self, key: str) -> set[bytes]:
        self.round_trips += 1
        return set(self._sets.get(key, ()))

    async def discard(self, key: str, member: bytes) -> None:
        self.round_trips += 1
        self._sets.get(key, set()).discard(member)

    async def scan(self, prefix: str) -> AsyncIterator[list[str]]:
        found = [key for key in self._values if key.startswith(prefix)]
        for at in range(0, len(found), _PAGE):
            self.round_trips += 1
            yield found[at : at + _PAGE]
