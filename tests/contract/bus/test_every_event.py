"""What any of our services publishes, any other can read: every event of every topic, through the bus's records."""

from __future__ import annotations

import pytest

from rapport.bus.messages import Outgoing
from rapport.bus.records import Record, message_of, sending_of
from rapport.events.base import Event
from rapport.events.codec import key_of
from rapport.events.samples import SAMPLES
from rapport.events.topics import TOPICS, Topic
from rapport.ops.settings import Settings

SETTINGS = Settings()
EVERY = [
    pytest.param(topic, kind, id=f"{topic.name}-{kind.event_name}")
    for topic in TOPICS.values()
    for kind in topic.events
]


def _through(outgoing: Outgoing) -> Record:
    sending = sending_of(outgoing, "test", SETTINGS.kafka)
    return Record(sending.topic, 2, 7, sending.key, sending.value, sending.headers, 1_000)


@pytest.mark.parametrize(("topic", "kind"), EVERY)
def test_an_event_arrives_as_it_was_sent(topic: Topic, kind: type[Event]) -> None:
    event = kind.model_validate(SAMPLES[kind.event_name])
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    message = message_of(_through(Outgoing(topic.name, key_of(topic, event), event, "id-1", "shop", trace)), SETTINGS)
    assert message.event == event
    assert (message.envelope.id, message.envelope.tenant, message.envelope.traceparent) == ("id-1", "shop", trace)
    assert (message.position.topic, message.position.partition, message.position.offset) == (topic.name, 2, 7)


@pytest.mark.parametrize("topic", [topic for topic in TOPICS.values() if topic.compacted], ids=lambda topic: topic.name)
def test_a_tombstone_arrives_as_none(topic: Topic) -> None:
    message = message_of(_through(Outgoing(topic.name, "k-1", None, "id-1", "shop")), SETTINGS)
    assert message.event is None
    assert (message.key, message.envelope.id, message.envelope.tenant) == ("k-1", "id-1", "shop")
