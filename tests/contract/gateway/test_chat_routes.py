"""The inbox, Rasa's channel, feedback and customer tokens over HTTP, with the chatbot faked at its port."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from rapport.events.chat import ChatFeedback, ChatMessage, ChatReply, HandoffRequested, TranscriptLine
from services.gateway.domain.desk import Desk
from tests.contract.gateway.fakes import PRIVATE, WRITE, Kafka, bearer, edge
from tests.contract.gateway.test_content_routes import Content

SECRET = "a-secret-of-the-shop"
AT = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)


class Bot(Content):
    """Remembers who asked; says one sentence with a choice, or nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[dict[str, Any]] = []
        self.text = "Which order?"

    async def converse(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        self.heard.append(request)
        yield {"text": self.text}
        yield {"reply": {"text": self.text, "action": "ACTION_ASK", "choices": ["RX-1"], "reply_id": "r-1"}}


@pytest.fixture
def bot() -> Bot:
    return Bot()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def http(kafka: Kafka, bot: Bot, desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with edge(kafka, bot, desk, customer_token_secret=SecretStr(SECRET)) as client:
        yield client


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    def coded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    told = {"sub": "anna", "exp": time.time() + 60} | claims
    head = f"{coded(json.dumps({'alg': algorithm}).encode())}.{coded(json.dumps(told).encode())}"
    return f"{head}.{coded(hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest())}"


def handed_over() -> HandoffRequested:
    return HandoffRequested(
        occurred_at=AT,
        handoff_id="h-1",
        conversation_id="t-1",
        customer_id="anna",
        reason="requested",
        summary="Asked for a person.",
        suggested_reply="Hello, how can I help?",
        language="en",
        transcript=(TranscriptLine(role="customer", text="a person please", at=AT),),
    )


async def test_a_person_sees_who_waits_answers_and_hands_back(
    http: httpx.AsyncClient, kafka: Kafka, desk: Desk
) -> None:
    desk.take("default", handed_over(), AT)
    [case] = (await http.get("/v1/handoffs", headers=bearer(PRIVATE))).json()
    assert (case["state"], case["reason"], case["suggested_reply"]) == (
        "waiting",
        "requested",
        "Hello, how can I help?",
    )

    path = "/v1/conversations/t-1/messages"
    for text, hands_back, state in (("Hello, this is Jo", False, ["taken"]), ("Bye!", True, [])):
        body = {"text": text, "agent_id": "jo", "hands_back": hands_back}
        assert (await http.post(path, json=body, headers=bearer(PRIVATE))).status_code == 200
        sent = kafka.sent[-1]
        assert isinstance(sent.event, ChatMessage)
        assert (sent.topic, sent.key, sent.event.role) == ("chat.messages.v1", "t-1", "agent")
        desk.take("default", sent.event, AT)
        listed = (await http.get("/v1/handoffs", headers=bearer(PRIVATE))).json()
        assert [one["state"] for one in listed] == state
    whole = (await http.get("/v1/conversations/t-1", headers=bearer(PRIVATE))).json()
    assert [line["text"] for line in whole["lines"]] == ["a person please", "Hello, this is Jo", "Bye!"]


async def test_the_desk_is_the_same_in_whichever_order_the_topics_come(http: httpx.AsyncClient) -> None:
    said = ChatMessage(
        occurred_at=AT, conversation_id="t-1", message_id="m-1", customer_id="anna", text="a person please"
    )
    reply = ChatReply(
        occurred_at=AT, reply_id="r-1", conversation_id="t-1", in_reply_to="m-1", text="One moment.",
        language="en", action="handoff", confidence=1.0,
    )  # fmt: skip
    wholes = []
    for events in ((said, reply, handed_over()), (handed_over(), reply, said)):
        desk = Desk()
        for event in events:
            desk.take("default", event, AT)
        case = desk.case("default", "t-1")
        assert case is not None
        wholes.append((case.state, sorted(line["text"] for line in case.whole()["lines"])))
    assert wholes[0] == wholes[1] == ("waiting", ["One moment.", "a person please"])


async def test_the_inbox_needs_a_private_key_and_a_known_conversation(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/handoffs", headers=bearer(WRITE))).status_code == 403
    body = {"text": "hello", "agent_id": "jo"}
    assert (await http.post("/v1/conversations/none/messages", json=body, headers=bearer(PRIVATE))).status_code == 404


async def test_rasas_channel_gives_its_shape(http: httpx.AsyncClient, bot: Bot) -> None:
    said = {"sender": "visitor-7", "message": "cancel my order"}
    answer, custom = (await http.post("/webhooks/rest/webhook", json=said, headers=bearer(WRITE))).json()
    assert answer == {
        "recipient_id": "visitor-7",
        "text": "Which order?",
        "buttons": [{"title": "RX-1", "payload": "RX-1"}],
    }
    assert custom["custom"]["action"] == "ACTION_ASK"
    assert (bot.heard[0]["conversation_id"], bot.heard[0]["customer_id"]) == ("visitor-7", None)
    bot.text = ""
    assert (await http.post("/webhooks/rest/webhook", json=said, headers=bearer(WRITE))).json() == []


async def test_a_browser_is_who_its_token_says(http: httpx.AsyncClient, bot: Bot) -> None:
    headers = bearer(WRITE) | {"X-Customer-Token": token()}
    assert (await http.post("/v1/chat", json={"text": "hi"}, headers=headers)).status_code == 200
    assert bot.heard[-1]["customer_id"] == "anna"
    said = {"sender": "s", "message": "hi", "metadata": {"customer_id": "anna"}}
    assert (await http.post("/webhooks/rest/webhook", json=said, headers=headers)).status_code == 200
    assert bot.heard[-1]["customer_id"] == "anna"


@pytest.mark.parametrize(
    "bad",
    [token("another-secret"), token(exp=1), token(sub=""), token(algorithm="none"), "a.b.c", "", "x"],
    ids=["foreign", "run out", "nobody", "none", "nonsense", "empty", "short"],
)
async def test_a_token_that_is_not_the_shops_is_refused(bad: str, http: httpx.AsyncClient, bot: Bot) -> None:
    said = {"text": "hi", "customer_id": "anna"}
    answer = await http.post("/v1/chat", json=said, headers=bearer(WRITE) | {"X-Customer-Token": bad})
    assert answer.status_code == 403
    assert bot.heard == []


async def test_a_public_key_vouches_for_nobody(http: httpx.AsyncClient, bot: Bot) -> None:
    answer = await http.post("/v1/chat", json={"text": "hi", "customer_id": "anna"}, headers=bearer(WRITE))
    assert (answer.status_code, answer.json()["field"]) == (403, "customer_id")
    await http.post("/v1/chat", json={"text": "hi", "customer_id": "anna"}, headers=bearer(PRIVATE))
    assert [one["customer_id"] for one in bot.heard] == ["anna"]


async def test_a_thumb_is_an_event(http: httpx.AsyncClient, kafka: Kafka) -> None:
    body = {"conversation_id": "t-1", "reply_id": "r-1", "rating": "down", "reason": "wrong"}
    assert (await http.post("/v1/chat/feedback", json=body, headers=bearer(WRITE))).status_code == 202
    (sent,) = kafka.sent
    assert isinstance(sent.event, ChatFeedback)
    assert (sent.topic, sent.key, sent.event.rating) == ("chat.messages.v1", "t-1", "down")
