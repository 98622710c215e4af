"""When something happened, as far as the sender's clock can be believed."""

from __future__ import annotations

from rapport.bus.messages import Message

# A clock may be this much ahead of the broker's. An event from the future would lead every board until then.
_SLACK_MS = 300_000


def event_ms(message: Message) -> int:
    """Milliseconds since 1970: the event's own time, else the envelope's; never later than the broker allows for."""
    at = message.event.occurred_at if message.event else None
    return min(int((at or message.envelope.time).timestamp() * 1000), message.timestamp_ms + _SLACK_MS)
