"""ChatService and the chatbot's topics, both sides of the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
import jsonschema
import pytest

from rapport.contracts.chatbot.v1 import chat_service_pb2 as wire
from rapport.contracts.chatbot.v1.chat_service_pb2_grpc import ChatServiceStub
from rapport.contracts.recommender.v1 import recommendation_service_pb2 as recommendations
from rapport.contracts.recommender.v1.recommendation_service_pb2_grpc import (
    RecommendationServiceServicer,
    add_RecommendationServiceServicer_to_server,
)
from rapport.events.chat import ReplyAction
from rapport.events.codec import decode, encode, key_of
from rapport.events.envelope import Envelope
from rapport.events.schemas import json_schema
from rapport.events.topics import TOPICS
from rapport.ops.errors import SchemaViolation, UnavailableError
from rapport.ops.settings import GrpcSettings
from rapport.serving.client import PeerChannel
from rapport.serving.server import GrpcServer
from services.chatbot.adapters.recommender import GrpcRecommender
from services.chatbot.api import ChatApi, servicing
from tests.unit.chatbot.conftest import ARTICLES, SHOE, Bot, order, says


@pytest.fixture
async def bot() -> Bot:
    return await Bot().open()


@pytest.fixture
async def stub(bot: Bot) -> AsyncIterator[Any]:
    prepared = asyncio.Event()
    prepared.set()
    api = ChatApi(bot.ports, bot.mind, bot.published, prepared, "default")
    server = GrpcServer("chatbot", GrpcSettings(), [servicing(api)])
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield ChatServiceStub(channel)
    await server.stop()


async def ask(stub: Any, text: str, **more: str) -> list[wire.ConverseResponse]:
    fields = {"conversation_id": "t-1", "message_id": "m-1", "customer_id": "c-1", "text": text} | more
    return [answer async for answer in stub.Converse(wire.ConverseRequest(**fields))]


async def test_text_comes_first_and_the_last_message_has_the_whole_reply(stub: Any) -> None:
    *pieces, last = await ask(stub, "How long can I return things?")
    assert pieces
    assert not any(piece.HasField("reply") for piece in pieces)
    assert "".join(piece.text for piece in pieces) == last.reply.text
    [source] = last.reply.sources
    assert (source.kind, source.id, source.quote) == ("article", "a-returns-en", last.reply.text)
    assert (last.reply.action, last.reply.in_reply_to) == (wire.ACTION_ANSWER, "m-1")
    assert 0 < last.reply.confidence <= 1


async def test_the_same_message_id_gives_the_same_reply(stub: Any) -> None:
    first, again = await ask(stub, "What does shipping cost?"), await ask(stub, "What does shipping cost?")
    assert first[-1] == again[-1]


async def test_messages_of_one_conversation_wait_for_each_other(stub: Any, bot: Bot) -> None:
    asked = [ask(stub, "What does shipping cost?", message_id=f"m-{number % 2}") for number in range(6)]
    answered = [answers[-1].reply for answers in await asyncio.gather(*asked)]
    assert len({reply.reply_id for reply in answered}) == 2
    assert len(bot.published.outgoings) == 4


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"conversation_id": ""}, "conversation_id"), ({"text": "x" * 8001}, "text"), ({"customer_id": "c" * 300}, "c")],
)
async def test_a_malformed_request_is_refused_with_its_field(stub: Any, fields: dict[str, str], named: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await ask(stub, **({"text": "hi"} | fields))
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert named in str(raised.value.details())


async def test_somebody_elses_conversation_is_denied(stub: Any) -> None:
    await ask(stub, "hello")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await ask(stub, "hello", customer_id="c-2", message_id="m-2")
    assert raised.value.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_before_the_articles_are_read_it_says_try_later(bot: Bot) -> None:
    api = ChatApi(bot.ports, bot.mind, bot.published, asyncio.Event(), "default")
    request = wire.ConverseRequest(conversation_id="t-1", text="hello")
    with pytest.raises(UnavailableError):
        [answer async for answer in api.Converse(request, None)]  # type: ignore[arg-type]


def test_every_action_of_the_event_has_one_on_the_wire() -> None:
    for action in ReplyAction.__args__:  # type: ignore[attr-defined]
        assert wire.Action.Value(f"ACTION_{action.upper()}") > 0


async def test_what_the_bot_publishes_satisfies_its_schemas_and_travels(bot: Bot) -> None:
    bot.book.orders = [order("RX-1001")]
    texts = ["What does shipping cost?", "where is my order", "what would you recommend?", "Who painted it?", "转人工"]
    made = await bot.hear(*(says(text, f"m-{number}") for number, text in enumerate(texts)))
    assert len(made) == len(texts) + 1
    for outgoing in made:
        event, topic = outgoing.event, TOPICS[outgoing.topic]
        assert event is not None
        jsonschema.Draft202012Validator(json_schema(type(event))).validate(event.model_dump(mode="json"))
        assert outgoing.key == key_of(topic, event)
        envelope = Envelope(outgoing.event_id, event.ce_type(), "/tests", datetime(2026, 3, 5, tzinfo=UTC), "default")
        value, headers = encode(event, envelope)
        read = decode(
            topic, outgoing.key.encode(), value, headers, timestamp_ms=0, fallback_id="x", tenant="d", max_bytes=10**6
        )
        assert read.event == event


@pytest.mark.parametrize("event", [*ARTICLES, SHOE, order("RX-1"), says("hello")])
def test_what_the_bot_reads_is_what_the_schemas_say(event: Any) -> None:
    validator = jsonschema.Draft202012Validator(json_schema(type(event)))
    assert list(validator.iter_errors(event.model_dump(mode="json", exclude_none=True))) == []


class _Recommends(RecommendationServiceServicer):
    """The recommender's side of the contract, as far as the chatbot uses it."""

    def __init__(self, strategy: str = "personalised") -> None:
        self.asked: list[recommendations.RecommendRequest] = []
        self._strategy = strategy

    async def Recommend(
        self, request: recommendations.RecommendRequest, context: Any
    ) -> recommendations.RecommendResponse:
        self.asked.append(request)
        made = recommendations.Recommendation(recommendation_id="r-1", strategy=self._strategy, tenant=request.tenant)
        made.customer_id = request.customer_id
        made.created_at.FromDatetime(datetime(2026, 3, 5, tzinfo=UTC))
        made.expires_at.FromDatetime(datetime(2026, 3, 6, tzinfo=UTC))
        item = made.items.add(product_id="p-1", score=0.5)
        item.reasons.add(kind="need", text="fits you", subject="trail", weight=0.7)
        return recommendations.RecommendResponse(recommendation=made)


async def _recommender(service: _Recommends) -> tuple[Sequence[Any], GrpcRecommender]:
    name = recommendations.DESCRIPTOR.services_by_name["RecommendationService"].full_name
    server = GrpcServer("recommender", GrpcSettings(), [(add_RecommendationServiceServicer_to_server, service, name)])
    await server.start()
    channel = PeerChannel("recommender", server.address, 2)
    await channel.start()
    return (channel, server), GrpcRecommender(channel)


@pytest.mark.parametrize("customer_id", ["c-1", None])
async def test_the_recommender_is_asked_for_the_customer_and_read_whole(customer_id: str | None) -> None:
    service = _Recommends()  # type: ignore[abstract]
    parts, client = await _recommender(service)
    made = await client.recommend("shop", customer_id, "zh", 3)
    [asked] = service.asked
    assert (asked.customer_id, asked.tenant, asked.limit, asked.language) == (customer_id or "", "shop", 3, "zh")
    assert made.items[0].reasons[0].text == "fits you"
    for part in parts:
        await part.stop()


async def test_an_answer_outside_the_contract_is_an_error_of_ours() -> None:
    parts, client = await _recommender(_Recommends("guesswork"))  # type: ignore[abstract]
    with pytest.raises(SchemaViolation, match="strategy"):
        await client.recommend("shop", "c-1", "en", 3)
    for part in parts:
        await part.stop()
