"""Which event ids a partition has seen lately.

The window is the last `duplicate_window` offsets of a partition, and what is in it depends on the partition alone:
after a restart or a rebalance it is read again from Kafka, so an event sent twice within it is handled once, whatever
happened in between. Ids of messages that cannot be decoded are not in it: sent again after mending, they are taken.
"""

from __future__ import annotations

from collections import deque

from rapport.bus.messages import Message
from rapport.bus.reading import read_range
from rapport.bus.records import REPLAY_OF, Record, message_of
from rapport.ops.errors import PermanentError
from rapport.ops.settings import Settings


class SeenWindow:
    """Event ids of one partition and the offset at which each was last seen."""

    def __init__(self, size: int) -> None:
        """`size` in offsets; 0 sees nothing."""
        self.size = size
        self._offsets: dict[str, int] = {}
        self._order: deque[tuple[int, str]] = deque()

    def holds(self, name: str, offset: int) -> bool:
        """True when the event of this name came at an earlier offset inside the window before `offset`."""
        seen_at = self._offsets.get(name)
        return seen_at is not None and offset - self.size <= seen_at < offset

    def add(self, name: str, offset: int) -> None:
        """Remembers the event, and forgets those that fell out of the window."""
        if not self.size:
            return
        self._offsets[name] = offset
        self._order.append((offset, name))
        while self._order[0][0] < offset - self.size:
            old_offset, old = self._order.popleft()
            if self._offsets.get(old) == old_offset:
                del self._offsets[old]

    def __len__(self) -> int:
        return len(self._offsets)


def identity(record: Record, message: Message) -> str:
    """CloudEvents: source and id together name an event. A replayed dead letter is another occurrence of it."""
    return f"{record.header(REPLAY_OF) or ''}|{message.envelope.source}|{message.envelope.id}"


async def read_window(topic: str, partition: int, upto: int, settings: Settings) -> SeenWindow:
    """The window as it stands before offset `upto`, read from the broker. `topic` is the broker's name."""
    size = settings.kafka.duplicate_window
    window = SeenWindow(size)
    async for record in read_range(settings.kafka, topic, partition, upto - size, upto):
        try:
            message = message_of(record, settings)
        except PermanentError:
            continue  # it went to the dead letters when it was handled
        window.add(identity(record, message), record.offset)
    return window
