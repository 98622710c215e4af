"""The recommender's topics, both sides: what comes in is taken as others send it, what goes out is readable."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rapport.bus.messages import Message, Outgoing, Position
from rapport.bus.records import sending_of
from rapport.events.base import Event
from rapport.events.catalog import ProductUpserted
from rapport.events.codec import Decoded, decode, encode, key_of
from rapport.events.envelope import Envelope
from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import RecommendationMade
from rapport.events.samples import SAMPLES
from rapport.events.topics import TOPICS, Topic
from rapport.ops.settings import KafkaSettings
from services.recommender.domain.counting import BOARDS
from services.recommender.handlers import behaviours_seen
from tests.unit.recommender.memory import MemoryCounts, MemoryOrders, MemoryServed
from tests.unit.recommender.shop import TENANT, Shop, day_of, ids

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)
_FOR = {"trending", "popular"}
COUNTED_ON = {
    **dict.fromkeys(("product_viewed", "product_clicked", "product_added", "product_wishlisted"), _FOR),
    **dict.fromkeys(("order_completed", "product_reviewed"), _FOR),
    "product_removed": {"refused"},
    "items_shown": {"examined"},
    "item_clicked": {"clicked"},
}


def over_the_wire(topic: Topic, kind: type[Event], offset: int = 1) -> Message:
    """The sample of an event as whoever writes the topic would send it."""
    event = kind.model_validate(SAMPLES[kind.event_name])
    value, headers = encode(event, Envelope(f"e-{offset}", event.ce_type(), "/shop", NOW, TENANT))
    read = _decoded(topic, key_of(topic, event).encode(), value, headers)
    return Message(read.event, read.envelope, read.key, Position(topic.name, 0, offset), int(NOW.timestamp() * 1000))


def _decoded(topic: Topic, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> Decoded:
    return decode(
        topic, key, value, headers, timestamp_ms=0, fallback_id="", tenant=TENANT, max_bytes=1_000_000
    )  # fmt: skip


def read_back(outgoing: Outgoing) -> Decoded:
    sent = sending_of(outgoing, "recommender", KafkaSettings())
    return _decoded(TOPICS[outgoing.topic], sent.key, sent.value, list(sent.headers))


@pytest.mark.parametrize("kind", TOPICS["clickstream.v1"].events, ids=lambda kind: kind.event_name)
async def test_every_behaviour_event_is_taken(kind: type[Event]) -> None:
    counts = MemoryCounts()
    message = over_the_wire(TOPICS["clickstream.v1"], kind)
    assert (
        await behaviours_seen([message], counts=counts, served=MemoryServed(), orders=MemoryOrders(), day_of=day_of)
        == []
    )
    counted = {name for name in BOARDS if "p-204" in counts.boards_of.get((TENANT, name), ())}
    assert counted == COUNTED_ON.get(kind.event_name, set())
    assert counts.reached == {("clickstream.v1", 0): 1}


async def test_a_profile_as_the_profiler_sends_it_becomes_an_answer_that_readers_understand() -> None:
    shop = Shop()
    await shop.stock(ProductUpserted.model_validate(SAMPLES["product_upserted"] | {"product_id": "p-1"}))
    message = over_the_wire(TOPICS["profiles.v1"], ProfileUpdated)
    (out,) = await shop.take(message)
    read = read_back(out)
    assert isinstance(read.event, RecommendationMade)
    assert (read.key, read.envelope.id, ids(read.event)) == ("c-1001", read.event.recommendation_id, ["p-1"])
    assert (read.event.profile_revision, read.event.trigger_event_id) == (3, "e-3")
    assert read.event.fallbacks[0].startswith("personalised: the needs are in intfloat/multilingual-e5-small@1")
    assert read.event.model_extra == {}
    assert read.event == out.event


async def test_a_farewell_is_a_tombstone_that_the_topic_takes() -> None:
    shop = Shop()
    (out,) = await shop.push(None, key="c-1001")
    read = read_back(out)
    assert (read.key, read.event, read.envelope.tenant) == ("c-1001", None, TENANT)


async def test_a_product_as_platform_teams_send_it_is_on_sale() -> None:
    shop = Shop()
    message = over_the_wire(TOPICS["catalog.v1"], ProductUpserted)
    await shop.take_products(message)
    assert ids(await shop.recommend()) == ["p-204"]
    assert "Trail Runner 2 / 越野跑鞋二代. Sports > Running shoes. Fernhill. drop_mm: 6, waterproof: True" in [
        product.text for product in shop.catalogues.of(TENANT).products.values()
    ]
