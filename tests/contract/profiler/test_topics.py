"""The profiler's topics, both sides: every event of clickstream.v1 is taken, what goes to profiles.v1 is readable."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rapport.bus.messages import Message, Position
from rapport.bus.records import sending_of
from rapport.events.base import Event
from rapport.events.chat import ChatMessage
from rapport.events.codec import decode, encode, key_of
from rapport.events.envelope import Envelope
from rapport.events.profiles import ProfileUpdated
from rapport.events.samples import SAMPLES
from rapport.events.topics import TOPICS, Topic
from rapport.ops.settings import KafkaSettings
from services.profiler.handlers import hear_chat
from tests.unit.profiler.conftest import Shop

CLICKS, PROFILES, INBOX = TOPICS["clickstream.v1"], TOPICS["profiles.v1"], TOPICS["profiler.inbox.v1"]
CHATS = TOPICS["chat.messages.v1"]
NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)


def over_the_wire(kind: type[Event], offset: int) -> Message:
    """The sample of an event as a platform team's client would send it."""
    return sent(kind.model_validate(SAMPLES[kind.event_name]), offset, CLICKS)


def sent(event: Event, offset: int, topic: Topic) -> Message:
    value, headers = encode(event, Envelope(f"e-{offset}", event.ce_type(), "/shop", NOW, "default"))
    read = decode(
        topic,
        key_of(topic, event).encode(),
        value,
        headers,
        timestamp_ms=int(NOW.timestamp() * 1000),
        fallback_id="",
        tenant="default",
        max_bytes=1_000_000,
    )
    return Message(read.event, read.envelope, read.key, Position(topic.name, 0, offset), int(NOW.timestamp() * 1000))


@pytest.mark.parametrize("kind", CLICKS.events, ids=lambda kind: kind.event_name)
async def test_every_behaviour_event_becomes_a_profile_that_readers_understand(kind: type[Event]) -> None:
    shop = Shop()
    [outgoing, *errands] = await shop.take(over_the_wire(kind, 1))
    assert all(errand.topic == INBOX.name for errand in errands)
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
    [outgoing, *_] = await shop.take(*[over_the_wire(kind, number) for number, kind in enumerate(CLICKS.events)])
    assert isinstance(outgoing.event, ProfileUpdated)
    again = ProfileUpdated.model_validate_json(outgoing.event.to_json())
    assert again == outgoing.event
    assert again.value.order_count == 1
    assert again.sentiment is not None


def said(text: str, **more: object) -> ChatMessage:
    fields = {"conversation_id": "v-1", "message_id": "m-1", "customer_id": "c-1001", "text": text, **more}
    return ChatMessage.model_validate(fields)


async def test_what_a_customer_says_in_a_chat_reaches_the_profile_once() -> None:
    shop = Shop()
    lines = [said("I love it, do you have waterproof tents?"), said("", message_id="m-2")]
    [errand, empty] = await hear_chat([sent(line, number, CHATS) for number, line in enumerate(lines)])
    assert errand.event is not None
    assert empty.event is not None
    [outgoing] = await shop.take(sent(errand.event, 1, INBOX), sent(empty.event, 2, INBOX))
    profile = outgoing.event
    assert isinstance(profile, ProfileUpdated)
    assert profile.needs[0].evidence == ("m-1",)
    assert profile.language == "en"
    assert profile.sentiment is not None
    assert profile.sentiment.score > 0
    assert await shop.take(sent(errand.event, 3, INBOX)) == []


@pytest.mark.parametrize("more", [{"customer_id": None}, {"role": "agent"}])
async def test_what_is_not_a_known_customers_stays_in_the_chat(more: dict[str, object]) -> None:
    assert await hear_chat([sent(said("Good evening to you", **more), 1, CHATS)]) == []


async def test_a_complaint_is_a_mood_and_no_interest() -> None:
    shop = Shop()
    [errand] = await hear_chat([sent(said("My order is broken, I want a refund"), 1, CHATS)])
    assert errand.event is not None
    [outgoing] = await shop.take(sent(errand.event, 1, INBOX))
    assert isinstance(outgoing.event, ProfileUpdated)
    assert outgoing.event.needs == ()
    assert outgoing.event.sentiment is not None
    assert outgoing.event.sentiment.score < 0
