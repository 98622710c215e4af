"""What the profiler tells itself across partitions: profiler.inbox.v1. Nobody else reads or writes it."""

from __future__ import annotations

from typing import ClassVar

from rapport.events.base import Event, Id


class IdentityLinked(Event):
    """Who was known under `customer_id` so far is `same_as`: to whoever keeps the former."""

    event_name: ClassVar[str] = "identity_linked"
    customer_id: Id
    same_as: Id


class ProfileAbsorbed(Event):
    """What is known of `absorbed_id` becomes part of `customer_id`: to whoever keeps the latter."""

    event_name: ClassVar[str] = "profile_absorbed"
    customer_id: Id
    absorbed_id: Id
    state: str
    """The state as the profiler keeps it, in base64."""
    via: tuple[Id, ...]
    """Ids that it came through, the absorbed one first: a chain of links that closes is noticed by it."""


class CustomerSaid(Event):
    """A line of a conversation, under the key of the customer who said it."""

    event_name: ClassVar[str] = "customer_said"
    customer_id: Id
    conversation_id: Id
    message_id: Id
    text: str
    language: str | None = None


class TimePassed(Event):
    """Nothing came from the customer until `occurred_at`, and that alone changes what is to be told of them."""

    event_name: ClassVar[str] = "time_passed"
    customer_id: Id
