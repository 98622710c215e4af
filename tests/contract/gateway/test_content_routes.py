"""Drafts, experiments and audiences over HTTP, with the content service faked at its port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from rapport.events.behaviour import ContentShown
from rapport.ops.errors import StateConflict
from tests.contract.gateway.fakes import PRIVATE, WRITE, Kafka, Services, bearer, edge


class Content(Services):
    """Remembers what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def content(self, call: str, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((call, request))
        if request.get("content_id") == "decided":
            raise StateConflict("already approved", field="content_id")
        return {"content_id": "x-1", "variation_id": "b", "experiments": [{"experiment_id": "x-1"}]}


@pytest.fixture
def service() -> Content:
    return Content()


@pytest.fixture
async def http(kafka: Kafka, service: Content) -> AsyncIterator[httpx.AsyncClient]:
    async with edge(kafka, service) as client:
        yield client


async def test_a_decision_reaches_the_service_and_a_conflict_the_caller(
    http: httpx.AsyncClient, service: Content
) -> None:
    body = {"decision": "approve", "by": "Mia"}
    assert (await http.post("/v1/drafts/k-1", json=body, headers=bearer(PRIVATE))).status_code == 200
    assert service.asked == [("Review", {"tenant": "default", "content_id": "k-1", "reason": "", **body})]
    conflict = await http.post("/v1/drafts/decided", json=body, headers=bearer(PRIVATE))
    assert (conflict.status_code, conflict.json()["error"]) == (409, "already approved")
    assert (
        await http.post("/v1/drafts/k-1", json={"decision": "maybe", "by": "x"}, headers=bearer(PRIVATE))
    ).status_code == 422


async def test_assigning_records_a_view_only_when_it_is_shown(http: httpx.AsyncClient, kafka: Kafka) -> None:
    path = "/v1/experiments/x-1/assign"
    assert (await http.post(path, json={"customer_id": "c-1"}, headers=bearer(PRIVATE))).json()["variation_id"] == "b"
    assert kafka.sent == []
    await http.post(path, json={"customer_id": "c-1", "shown": True}, headers=bearer(PRIVATE))
    (sent,) = kafka.sent
    assert isinstance(sent.event, ContentShown)
    assert (sent.topic, sent.key, sent.event.content_id, sent.event.variant) == ("clickstream.v1", "c-1", "x-1", "b")


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        ("GET", "/v1/drafts?status=rejected", "ListDrafts"),
        ("GET", "/v1/experiments", "ListExperiments"),
        ("GET", "/v1/experiments/x-1", "ListExperiments"),
        ("GET", "/v1/performance?by=tone", "Performance"),
        ("GET", "/v1/templates?language=zh", "Preview"),
        ("POST", "/v1/experiments/x-1/end", "EndExperiment"),
        ("POST", "/v1/audience", "Audience"),
    ],
)
async def test_every_route_needs_a_private_key(
    http: httpx.AsyncClient, service: Content, method: str, path: str, call: str
) -> None:
    body = {"by": "Mia"} if "end" in path else {"segment": "runners"}
    send: dict[str, Any] = {"json": body} if method == "POST" else {}
    assert (await http.request(method, path, headers=bearer(WRITE), **send)).status_code == 403
    assert (await http.request(method, path, headers=bearer(PRIVATE), **send)).status_code == 200
    assert [each for each, _ in service.asked] == [call]
