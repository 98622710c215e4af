"""The profiler's topics, both sides: every event of clickstream.v1 is taken, what goes to profiles.v1 is readable."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rapport.bus.messages import Message, Position
from rapport.bus.records import sending_of
from rapport.events.base import Event
from rapport.events.codec import decode, encode, key_of
from rapport.events.envelope import Envelope
from rapport.events.profiles import ProfileUpdated
from rapport.events.samples import SAMPLES
from rapport.events.topics import TOPICS
from rapport.ops.settings import KafkaSettings
from tests.unit.profiler.conftest import Shop

CLICKS, PROFILES = TOPICS["clickstream.v1"], TOPICS["profiles.v1"]
NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)


def over_the_wire(kind: type[Event], offset: int) -> Message:
    """The sample of an event as a platform team's client would send it."""
    event = kind.model_validate(SAMPLES[kind.event_name])
    value, headers = encode(event, Envelope(f"e-{offset}", event.ce_type(), "/shop", NOW, "default"))
    read = decode(
        CLICKS,
        key_of(CLICKS, event).encode(),
        value,
        headers,
        timestamp_ms=int(NOW.timestamp() * 1000),
        fallback_id="",
        tenant="default",
        max_bytes=1_000_000,
    )
    return Message(read.event, read.envelope, read.key, Position(CLICKS.name, 0, offset), int(NOW.timestamp() * 1000))


@pytest.mark.parametrize("kind", CLICKS.events, ids=lambda kind: kind.event_name)
async def test_every_behaviour_event_becomes_a_profile_that_readers_understand(kind: type[Event]) -> None:
    shop = Shop()
    [outgoing] = await shop.take(over_the_wire(kind, 1))
    sent = sending_of(outgoing, "profiler", KafkaSettings())
    read = decode(
        PROFILES,
        sent.key,
        sent.value,
        sent.headers,
        timestamp_ms=0,
        fallback_id="",
        tenant="default",
        max_bytes=1_000_000,
    )
    assert isinstance(read.event, ProfileUpdated)
    assert (read.key, read.event.event_count) == ("c-1001", 1)
    assert read.event.trigger_event_id == "e-1"
    assert read.event.model_extra == {}


async def test_all_of_a_customers_events_together_stay_readable() -> None:
    shop = Shop()
    [outgoing] = await shop.take(*[over_the_wire(kind, number) for number, kind in enumerate(CLICKS.events)])
    assert isinstance(outgoing.event, ProfileUpdated)
    again = ProfileUpdated.model_validate_json(outgoing.event.to_json())
    assert again == outgoing.event
    assert again.value.order_count == 1
    assert again.sentiment is not None
