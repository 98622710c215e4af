"""The fakes stand for the real things: same calls, and behaviour that a handler's test can rest on."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from rapport.bus.messages import KeyedState, Position
from rapport.events.catalog import ProductUpserted
from rapport.events.codec import decode, encode
from rapport.events.topics import TOPICS
from rapport.ops.errors import InvalidRequest, NotFound, UnavailableError
from rapport.serving.client import ClassifierClient, EncoderClient, GeneratorClient, Turn, collect
from rapport.testing import (
    FakeClassifier,
    FakeEncoder,
    FakeGenerator,
    MemoryKeyedState,
    MemoryKeyValues,
    message,
    ordered,
    received,
    searched,
    viewed,
)
from rapport.vectors.connection import RedisConnection
from rapport.vectors.keys import Space


@pytest.mark.parametrize(
    ("fake", "real", "method"),
    [
        (FakeEncoder, EncoderClient, "embed"),
        (FakeClassifier, ClassifierClient, "classify"),
        (FakeGenerator, GeneratorClient, "generate"),
        *(
            (MemoryKeyValues, RedisConnection, name)
            for name in ("read", "write", "delete", "members", "discard", "scan")
        ),
        *((MemoryKeyedState, KeyedState, name) for name in ("get", "includes", "put", "delete")),
    ],
)
def test_a_fake_is_called_as_the_real_one_is(fake: type, real: type, method: str) -> None:
    assert inspect.signature(getattr(fake, method)) == inspect.signature(getattr(real, method))


async def test_texts_that_share_words_are_near_each_other() -> None:
    encoder = FakeEncoder()
    texts = ["waterproof trail running shoes", "Trail running shoes", "防水跑鞋", "轻便防水跑鞋", "coffee grinder"]
    vectors = (await encoder.embed(texts)).vectors
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    near = vectors @ vectors.T
    assert near[0, 1] > 0.7
    assert near[2, 3] > 0.6
    assert abs(near[[0, 0, 1, 3], [2, 4, 3, 4]]).max() < 0.4
    assert (await FakeEncoder().embed(texts)).vectors == pytest.approx(vectors), "the same in every process"
    assert str(Space.parse((await encoder.embed(["x"])).model)) == encoder.model
    assert encoder.calls == [texts, ["x"]]


async def test_a_fake_fails_when_told_and_refuses_what_the_worker_refuses() -> None:
    encoder = FakeEncoder()
    with pytest.raises(InvalidRequest):
        await encoder.embed([])
    encoder.failure = UnavailableError("the worker loads")
    with pytest.raises(UnavailableError):
        await encoder.embed(["x"])
    with pytest.raises(NotFound, match="sentiment"):
        await FakeClassifier({"sentiment": {"good": ["love"]}}).classify("intent", ["x"])


async def test_a_label_is_likely_when_its_words_occur() -> None:
    tasks = {"sentiment": {"negative": ["broken", "坏"], "neutral": [], "positive": ["love"]}}
    answer = await FakeClassifier(tasks).classify(
        "sentiment", ["It arrived broken", "鞋子坏了", "I LOVE it", "It is blue"]
    )
    assert answer.best() == ["negative", "negative", "positive", "neutral"]
    assert answer.probabilities.sum(axis=1) == pytest.approx(1)


async def test_generated_text_comes_word_by_word_and_ends_where_asked() -> None:
    generator = FakeGenerator(lambda turns: f"You said {turns[-1].content}")
    turns = [Turn("user", "hello there")]
    assert [piece.text async for piece in generator.generate(turns)] == ["You", " said", " hello", " there", ""]
    assert (await collect(generator.generate(turns))).finish == "stop"
    short = await collect(generator.generate(turns, max_tokens=2))
    assert (short.text, short.finish, short.output_tokens) == ("You said", "length", 2)
    assert (await collect(generator.generate(turns, stop=[" there"]))).text == "You said hello"


def test_state_includes_what_was_put_up_to_its_offset_in_that_partition() -> None:
    state = MemoryKeyedState()
    state.put("c1", b"5", Position("clicks", 0, 5))
    assert state.get("c1") == b"5"
    assert [state.includes("c1", Position("clicks", 0, offset)) for offset in (4, 5, 6)] == [True, True, False]
    assert not state.includes("c1", Position("clicks", 1, 0))
    assert not state.includes("c2", Position("clicks", 0, 0))
    state.delete("c1")
    assert state.get("c1") is None
    assert not state.includes("c1", Position("clicks", 0, 5))


def test_messages_are_as_they_come_from_the_topic() -> None:
    first, second = received(viewed("c1", "p1"), searched("c1", "shoes"), first_offset=7)
    assert [first.position.offset, second.position.offset] == [7, 8]
    assert first.key == second.key == "c1"
    assert first.envelope.id != second.envelope.id
    assert first.timestamp_ms < second.timestamp_ms
    order = message(ordered("c1", "o1", "p1", "p2"))
    value, headers = encode(order.event, order.envelope)
    again = decode(
        TOPICS["clickstream.v1"], b"c1", value, headers,
        timestamp_ms=order.timestamp_ms, fallback_id="x", tenant="default", max_bytes=10_000,
    )  # fmt: skip
    assert (again.event, again.envelope) == (order.event, order.envelope)


def test_a_tombstone_names_its_key_and_topic() -> None:
    gone = message(None, key="p1", topic="catalog.v1")
    assert (gone.event, gone.key, gone.position.topic) == (None, "p1", "catalog.v1")
    there = message(ProductUpserted(product_id="p1", title={"en": "Shoe"}))
    assert (there.key, there.position.topic) == ("p1", "catalog.v1")
    with pytest.raises(InvalidRequest, match="tombstone"):
        message(None)
