"""What the content service tells itself across partitions: content.inbox.v1. Nobody else reads or writes it."""

from __future__ import annotations

from typing import ClassVar

from rapport.events.base import Event, Id


class JourneyLinked(Event):
    """What was seen and done under `customer_id` belongs to `same_as` from now on: to whoever keeps the former."""

    event_name: ClassVar[str] = "journey_linked"
    customer_id: Id
    same_as: Id


class JourneyJoined(Event):
    """What was seen and done under `joined_id` becomes part of `customer_id`'s: to whoever keeps the latter."""

    event_name: ClassVar[str] = "journey_joined"
    customer_id: Id
    joined_id: Id
    journey: str
    """As the content service keeps it, in JSON."""
    via: tuple[Id, ...]
    """Ids that it came through, the joined one first: a chain of links that closes is noticed by it."""
