"""Who calls too often is refused and told when to come back; what lies behind the edge is told to nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from rapport.ops.errors import DeadlineError, OverloadedError, RapportError, UnavailableError
from tests.contract.gateway.fakes import PRIVATE, WRITE, Kafka, Services, basic, bearer, edge

TRACK = {"userId": "u-1", "event": "Product Viewed", "properties": {"product_id": "p-1"}}
ADDRESS = "10.1.2.3:50052"


@pytest.fixture
async def slow() -> AsyncIterator[httpx.AsyncClient]:
    """Five requests at once from an address, ten with a key."""
    async with edge(Kafka(), Services(), key_requests_per_s=2.0, address_requests_per_s=1.0) as client:
        yield client


async def statuses(http: httpx.AsyncClient, times: int, headers: dict[str, str]) -> list[int]:
    return [(await http.post("/v1/track", json=TRACK, headers=headers)).status_code for _ in range(times)]


def refused(limit: str) -> float:
    return REGISTRY.get_sample_value("rapport_http_rate_limited_total", {"limit": limit}) or 0.0


async def test_an_address_with_a_public_key_has_its_own_limit(slow: httpx.AsyncClient) -> None:
    before = refused("address")
    # One key, however it is written.
    assert await statuses(slow, 3, bearer(WRITE)) == [200] * 3
    assert await statuses(slow, 4, basic(WRITE)) == [200, 200, 429, 429]
    answer = await slow.post("/v1/track", json=TRACK, headers=bearer(WRITE))
    assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert answer.json() == {
        "error": "too many requests of this address",
        "field": "address",
        "fix": f"try again in {answer.headers['Retry-After']} s",
    }
    assert refused("address") == before + 3
    # Who guesses keys is slowed down with them; a server with a private key is not.
    assert await statuses(slow, 1, bearer("guessed-key-1")) == [429]
    assert await statuses(slow, 1, bearer(PRIVATE)) == [200]


async def test_a_private_key_has_its_own_limit(slow: httpx.AsyncClient) -> None:
    assert await statuses(slow, 12, bearer(PRIVATE)) == [200] * 10 + [429] * 2
    assert await statuses(slow, 1, bearer("other-key-1")) == [200]
    assert (await slow.get("/health/live")).status_code == 200


async def test_without_limits_nothing_is_refused() -> None:
    async with edge(Kafka(), Services(), key_requests_per_s=0, address_requests_per_s=0) as http:
        assert set(await statuses(http, 100, bearer(WRITE))) == {200}


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UnavailableError(f"connect to {ADDRESS}: refused", field="recommender"), 503, "recommender cannot answer now"),
        (DeadlineError(f"{ADDRESS} is slow", field="recommender"), 504, "recommender did not answer in time"),
        (OverloadedError(f"{ADDRESS} is full", field="recommender"), 429, "recommender cannot answer now"),
    ],
)
async def test_a_service_that_is_away_is_named_and_its_address_is_only_logged(
    error: RapportError, status: int, said: str
) -> None:
    class Away(Services):
        async def recommend(self, request: dict[str, Any]) -> dict[str, Any]:
            raise error

        async def converse(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
            yield {"text": "You can "}
            raise error

    async with edge(Kafka(), Away()) as http:
        with capture_logs() as logged:
            answer = await http.get("/v1/recommendations", headers=bearer(PRIVATE))
            chat = await http.post("/v1/chat", json={"text": "hello"}, headers=bearer(PRIVATE))
            rasa = await http.post("/webhooks/rest/webhook", json={"message": "hello"}, headers=bearer(PRIVATE))
    assert answer.status_code == status
    assert answer.json() == {"error": said, "field": "recommender", "fix": "try again in a few seconds"}
    assert ("Retry-After" in answer.headers) == (status != 504)
    assert said in chat.text
    assert all(ADDRESS not in each.text for each in (answer, chat, rasa))
    assert sum(ADDRESS in line["error"] for line in logged) == 3
