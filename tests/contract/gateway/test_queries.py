"""Profiles and chat over HTTP."""

from __future__ import annotations

import httpx

from tests.contract.gateway.fakes import PRIVATE, bearer


async def test_profile_and_its_absence(http: httpx.AsyncClient) -> None:
    found = await http.get("/v1/profiles/u-1", headers=bearer(PRIVATE))
    missing = await http.get("/v1/profiles/nobody", headers=bearer(PRIVATE))
    assert found.json()["event_count"] == 3
    assert (missing.status_code, missing.json()) == (404, {"error": "no profile of 'nobody'"})


async def test_chat_streams_pieces_then_the_reply(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/chat", json={"text": "returns?"}, headers=bearer(PRIVATE))
    assert answer.headers["content-type"].startswith("text/event-stream")
    kinds = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    assert kinds == ["text", "text", "reply"]


async def test_chat_that_breaks_says_so_in_the_stream(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/chat", json={"text": "break it"}, headers=bearer(PRIVATE))
    assert "event: error" in answer.text
    assert "chatbot cannot answer now" in answer.text
