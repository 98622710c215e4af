"""State per key with the offsets that it includes, and how a batch changes it: all at once, after the commit."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapport.bus.messages import Position
from rapport.bus.reading import end_of, read_range
from rapport.bus.records import Sending
from rapport.ops.errors import SizeViolation
from rapport.ops.settings import KafkaSettings

# Version, number of positions; then partition and offset of each; then the value.
_HEAD, _PLACE = struct.Struct(">BH"), struct.Struct(">IQ")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of a key, and per partition the last offset in it.

    Nearly always one partition. There are more when publishers hash the key in different ways.
    """

    value: bytes
    offsets: dict[int, int]

    def pack(self) -> bytes:
        places = b"".join(_PLACE.pack(partition, offset) for partition, offset in self.offsets.items())
        return _HEAD.pack(_VERSION, len(self.offsets)) + places + self.value

    @classmethod
    def unpack(cls, packed: bytes) -> Entry:
        _, count = _HEAD.unpack_from(packed)
        end = _HEAD.size + count * _PLACE.size
        places = (_PLACE.unpack_from(packed, begin) for begin in range(_HEAD.size, end, _PLACE.size))
        return cls(packed[end:], dict(places))


_Changes = dict[bytes, bytes | None]
# Partitions of the inbox are counted from here on, so that they are apart from those of the source.
_INBOX_FROM = 1 << 31


class PartitionState:
    """The `KeyedState` that a handler sees on one partition, restored from a changelog topic.

    Changes lie in layers: those of a call of the handler are taken back when it raises; those of a batch count only
    when the transaction that carries them to the changelog, beside outputs and offset, is committed.
    """

    def __init__(self, changelog: str, partition: int, settings: KafkaSettings, inbox: str | None = None) -> None:
        """`changelog`: a compacted topic, by its name on the broker, with as many partitions as the source.

        `inbox`: the registered name of the group's inbox, if it has one.
        """
        self._changelog, self._partition, self._settings = changelog, partition, settings
        self._inbox = inbox
        self._kept: dict[bytes, bytes] = {}
        self._batch: _Changes = {}
        self._call: _Changes = {}

    async def restore(self) -> None:
        """Reads the changelog. The partition must have been taken over: nobody else may be writing."""
        end = await end_of(self._settings, self._changelog, self._partition)
        self._kept = {}
        async for record in read_range(self._settings, self._changelog, self._partition, 0, end):
            self._change(record.key or b"", record.value)

    def get(self, key: str) -> bytes | None:
        entry = self._entry(key)
        return entry.value if entry else None

    def includes(self, key: str, position: Position) -> bool:
        entry = self._entry(key)
        return entry is not None and entry.offsets.get(self._place(position), -1) >= position.offset

    def put(self, key: str, value: bytes, position: Position) -> None:
        entry = self._entry(key)
        offsets = dict(entry.offsets) if entry else {}
        place = self._place(position)
        offsets[place] = max(position.offset, offsets.get(place, -1))
        packed = Entry(value, offsets).pack()
        if len(packed) > self._settings.max_message_bytes:
            raise SizeViolation(f"state of {len(packed)} bytes, at most {self._settings.max_message_bytes} are kept")
        self._call[key.encode()] = packed

    def delete(self, key: str) -> None:
        self._call[key.encode()] = None

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Around one call of the handler: on an exception it has changed nothing."""
        self._call = {}
        try:
            yield
            self._batch |= self._call
        finally:
            self._call = {}

    def changes(self) -> Sequence[Sending]:
        """The changelog records of the batch."""
        return [Sending(self._changelog, key, packed, (), self._partition) for key, packed in self._batch.items()]

    def keep(self) -> None:
        """The changelog has the batch."""
        for key, packed in self._batch.items():
            self._change(key, packed)
        self._batch = {}

    def forget(self) -> None:
        """The partition is not ours any more."""
        self._kept, self._batch = {}, {}

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Key and value of all that is committed. What comes or goes meanwhile may be missed."""
        for key in list(self._kept):
            packed = self._kept.get(key)
            if packed is not None:
                yield key.decode(), Entry.unpack(packed).value

    def _place(self, position: Position) -> int:
        return position.partition + (_INBOX_FROM if position.topic == self._inbox else 0)

    def _change(self, key: bytes, packed: bytes | None) -> None:
        if packed is None:
            self._kept.pop(key, None)
        else:
            self._kept[key] = packed

    def _entry(self, key: str) -> Entry | None:
        raw = key.encode()
        for layer in (self._call, self._batch):
            if raw in layer:
                packed = layer[raw]
                return Entry.unpack(packed) if packed is not None else None
        packed = self._kept.get(raw)
        return Entry.unpack(packed) if packed is not None else None
