"""The gateway as a shop's server calls it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx

from tests.e2e.page import Json
from tests.e2e.stack import Stack

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """A chat answer: the text as it came in pieces, and the reply at the end."""

    streamed: str
    reply: Json

    @property
    def text(self) -> str:
        return str(self.reply["text"])

    @property
    def source_ids(self) -> list[str]:
        return [source["id"] for source in self.reply.get("sources", [])]


class Api:
    """One private key's view."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def profile(self, customer: str) -> Json | None:
        """None while nothing was seen of them."""
        answer = await self.client.get(f"/v1/profiles/{customer}")
        return None if answer.status_code == 404 else _json(answer)

    async def recommendation(self, customer: str, limit: int = 10) -> Json:
        return _json(await self.client.get("/v1/recommendations", params={"customer_id": customer, "limit": limit}))

    async def content(self, brief: Json) -> Json:
        return _json(await self.client.post("/v1/content", json=brief))

    async def chat(self, text: str, **more: str) -> Answer:
        """The answer to one message. Fails when the stream ends in an error."""
        streamed, reply = "", None
        async with self.client.stream("POST", "/v1/chat", json={"text": text, **more}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream"), await answer.aread()
            async for event, data in _events(answer):
                assert event in {"text", "reply"}, data
                streamed += data["text"] if event == "text" else ""
                reply = data if event == "reply" else reply
        assert reply is not None
        return Answer(streamed, reply)


@asynccontextmanager
async def api(stack: Stack) -> AsyncIterator[Api]:
    headers = {"Authorization": f"Bearer {stack.private_key}"}
    async with httpx.AsyncClient(base_url=stack.address("gateway"), headers=headers, timeout=60) as client:
        yield Api(client)


def counted(events: int) -> Callable[[Json | None], bool]:
    """Whether a profile holds just so many events."""
    return lambda profile: profile is not None and profile["event_count"] == events


async def eventually(ask: Callable[[], Awaitable[T]], fits: Callable[[T], bool], within_s: float = 20.0) -> T:
    """What `ask` answers, once it fits. Fails with the last answer."""
    deadline = time.monotonic() + within_s
    while True:
        answer = await ask()
        if fits(answer):
            return answer
        assert time.monotonic() < deadline, f"not within {within_s} s; last: {answer}"


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str, Json]]:
    event = ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            yield event, json.loads(value)


def _json(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, f"{answer.request.url}: {answer.status_code} {answer.text}"
    found: Json = answer.json()
    return found
