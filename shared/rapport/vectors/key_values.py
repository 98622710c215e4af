"""What the stores here need of Redis, as a port: many keys in one round trip."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol


class KeyValues(Protocol):
    """Bytes by key. Every method raises `UnavailableError` when the server does not answer in time."""

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values, in the order of `keys`, None where there is none. One round trip (one a node on a cluster)."""

    async def write(
        self,
        values: Mapping[str, bytes],
        *,
        if_absent: Mapping[str, bytes] | None = None,
        members: Mapping[str, bytes] | None = None,
    ) -> None:
        """Sets `values`; sets `if_absent` where the key does not exist; adds `members` to sets. One round trip."""

    async def delete(self, keys: Sequence[str]) -> int:
        """Removes the keys and says how many were there."""

    async def members(self, key: str) -> set[bytes]:
        """A set's members; empty when there is none."""

    async def discard(self, key: str, member: bytes) -> None:
        """Takes `member` out of a set."""

    def scan(self, prefix: str) -> AsyncIterator[list[str]]:
        """Keys that begin with `prefix`, in pages, each once. Walks the whole server: for start and upkeep only."""
