"""The HTTP edge as its callers see it, with the services behind it faked at their ports."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from rapport.bus.catalog import CatalogView
from rapport.bus.messages import Outgoing
from rapport.events.behaviour import ProductViewed
from rapport.events.samples import SAMPLES
from rapport.events.topics import EVENTS
from rapport.ops.errors import NotFound, UnavailableError
from rapport.ops.parts import Health
from services.gateway.api import application
from services.gateway.domain.desk import Desk
from services.gateway.domain.keys import Keys
from services.gateway.settings import KeySettings, split

WRITE, PRIVATE = "write-key-1", "private-key-1"
VIEW = {"type": "track", "event": "Product Viewed", "userId": "u-1", "properties": {"product_id": "p-1"}}


@dataclass
class Kafka:
    sent: list[Outgoing] = field(default_factory=list)
    down: bool = False

    async def send_many(self, outgoings: Sequence[Outgoing]) -> None:
        if self.down:
            raise UnavailableError("Kafka did not take the event", field="kafka")
        self.sent += outgoings


class Services:
    """`Peers` and `Live`."""

    async def profile(self, tenant: str, customer_id: str) -> dict[str, Any]:
        if customer_id != "u-1":
            raise NotFound(f"no profile of {customer_id!r}")
        return {"customer_id": customer_id, "tenant": tenant, "event_count": 3}

    async def recommend(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"asked": request}

    rank = similar = trending = create_content = explain_profile = recommend

    async def content(self, call: str, request: dict[str, Any]) -> dict[str, Any]:
        return {"call": call, "asked": request}

    async def converse(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        yield {"text": "You can "}
        yield {"text": "return it."}
        if "break" in request["text"]:
            raise UnavailableError("chatbot: gone")
        yield {"reply": {"text": "You can return it.", "conversation_id": request["conversation_id"]}}

    async def watch(self) -> AsyncIterator[dict[str, Any]]:
        yield {"topic": "clickstream.v1"}

    async def counts(self) -> dict[str, int]:
        return {"clickstream.v1": 1}


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
async def http(kafka: Kafka) -> AsyncIterator[httpx.AsyncClient]:
    services, own = Services(), KeySettings(max_body_bytes=2048)
    keys = Keys(split(SecretStr(WRITE)), split(SecretStr(f"other-key-1, {PRIVATE}")))
    app = application(
        kafka,
        services,
        CatalogView(),
        services,
        keys,
        desk=Desk(),
        settings=own,
        tenant="default",
        report=lambda: {"x": Health()},
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


async def test_segment_track_with_the_write_key_as_basic_user(http: httpx.AsyncClient, kafka: Kafka) -> None:
    answer = await http.post("/v1/track", json={**VIEW, "messageId": "m-1"}, headers=basic(WRITE))
    assert (answer.status_code, answer.json()) == (200, {"success": True, "accepted": 1, "refused": []})
    (sent,) = kafka.sent
    assert (sent.topic, sent.key, sent.event_id) == ("clickstream.v1", "u-1", "m-1")
    assert isinstance(sent.event, ProductViewed)


async def test_batch_takes_the_good_and_names_the_bad(http: httpx.AsyncClient, kafka: Kafka) -> None:
    batch = [VIEW, {**VIEW, "event": "Teleported"}, "nonsense", {"type": "page", "anonymousId": "a"}]
    answer = await http.post("/v1/batch", json={"batch": batch}, headers=basic(WRITE))
    assert answer.status_code == 200
    assert (answer.json()["accepted"], [bad["index"] for bad in answer.json()["refused"]]) == (2, [1, 2])
    assert answer.json()["refused"][0]["field"] == "event"
    assert len(kafka.sent) == 2


async def test_nothing_valid_is_422(http: httpx.AsyncClient, kafka: Kafka) -> None:
    answer = await http.post("/v1/track", json={**VIEW, "event": "Teleported"}, headers=basic(WRITE))
    assert answer.status_code == 422
    assert "Product Viewed" in answer.json()["refused"][0]["fix"]
    assert kafka.sent == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 1000])
async def test_bad_bodies_are_422(http: httpx.AsyncClient, body: bytes) -> None:
    for path in ("/v1/track", "/v1/batch", "/v1/events"):
        answer = await http.post(path, content=body, headers=bearer(WRITE))
        assert answer.status_code == 422, (path, answer.text)
        assert answer.json()["error"]


async def test_large_body_is_413(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/track", content=b"x" * 3000, headers=bearer(WRITE))
    assert (answer.status_code, answer.json()["field"]) == (413, "body")


async def test_cloud_event_binary_and_structured(http: httpx.AsyncClient, kafka: Kafka) -> None:
    payload = SAMPLES["product_viewed"]
    headers = {
        **bearer(WRITE),
        "ce-specversion": "1.0",
        "ce-id": "e-1",
        "ce-source": "/shop",
        "ce-type": "rapport.product_viewed.v1",
        "content-type": "application/json",
    }
    binary = await http.post("/v1/events", content=json.dumps(payload), headers=headers)
    envelope = {"specversion": "1.0", "id": "e-2", "source": "/shop", "type": "rapport.product_viewed.v1"}
    structured = await http.post(
        "/v1/events",
        content=json.dumps({**envelope, "data": payload}),
        headers={**bearer(WRITE), "content-type": "application/cloudevents+json"},
    )
    assert (binary.status_code, binary.json(), structured.json()) == (202, {"id": "e-1"}, {"id": "e-2"})
    assert [(sent.key, sent.event_id) for sent in kafka.sent] == [("c-1001", "e-1"), ("c-1001", "e-2")]
    assert kafka.sent[0].event == kafka.sent[1].event


async def test_a_write_key_sends_behaviour_only(http: httpx.AsyncClient, kafka: Kafka) -> None:
    for event in EVENTS.values():
        envelope = {"specversion": "1.0", "id": "e", "source": "/s", "type": event.ce_type()}
        body = json.dumps({**envelope, "data": SAMPLES[event.event_name]})
        kind = {"content-type": "application/cloudevents+json"}
        public = await http.post("/v1/events", content=body, headers={**bearer(WRITE), **kind})
        private = await http.post("/v1/events", content=body, headers={**bearer(PRIVATE), **kind})
        allowed = "clickstream" in kafka.sent[-1].topic
        assert private.status_code == 202
        assert public.status_code == (202 if allowed else 422), event


async def test_keys_guard_every_path(http: httpx.AsyncClient) -> None:
    schema = (await http.get("/openapi.json")).json()
    for path, methods in schema["paths"].items():
        for method in methods:
            url = path.replace("{customer_id}", "u-1").replace("{product_id}", "p-1")
            assert (await http.request(method, url)).status_code == 403, path
            assert (await http.request(method, url, headers=bearer("wrong-key-9"))).status_code == 403, path
    private_only = await http.get("/v1/profiles/u-1", headers=bearer(WRITE))
    assert (private_only.status_code, "needs a private key" in private_only.text) == (403, True)


async def test_profile_and_its_absence(http: httpx.AsyncClient) -> None:
    found = await http.get("/v1/profiles/u-1", headers=bearer(PRIVATE))
    missing = await http.get("/v1/profiles/nobody", headers=bearer(PRIVATE))
    assert found.json()["event_count"] == 3
    assert (missing.status_code, missing.json()) == (404, {"error": "no profile of 'nobody'"})


async def test_wrong_arguments_name_the_field(http: httpx.AsyncClient) -> None:
    limit = await http.get("/v1/recommendations?limit=0", headers=bearer(PRIVATE))
    rank = await http.post("/v1/rank", json={"customer_id": "u", "product_ids": []}, headers=bearer(PRIVATE))
    brief = await http.post("/v1/content", json={"request_id": "q", "kind": "poem"}, headers=bearer(PRIVATE))
    assert [(a.status_code, a.json()["field"]) for a in (limit, rank, brief)] == [
        (422, "limit"),
        (422, "product_ids"),
        (422, "kind"),
    ]


async def test_chat_streams_pieces_then_the_reply(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/chat", json={"text": "returns?"}, headers=bearer(PRIVATE))
    assert answer.headers["content-type"].startswith("text/event-stream")
    kinds = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    assert kinds == ["text", "text", "reply"]


async def test_chat_that_breaks_says_so_in_the_stream(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/chat", json={"text": "break it"}, headers=bearer(PRIVATE))
    assert "event: error" in answer.text
    assert "chatbot: gone" in answer.text


async def test_kafka_down_is_503_and_nothing_is_claimed(http: httpx.AsyncClient, kafka: Kafka) -> None:
    kafka.down = True
    answer = await http.post("/v1/track", json=VIEW, headers=basic(WRITE))
    assert (answer.status_code, answer.json()["field"]) == (503, "kafka")


async def test_status_page_and_health_need_no_key(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    assert "Rapport" in page.text
    assert (await http.get("/health/live")).status_code == 200
    assert (await http.get("/health/ready")).json()["status"] == "ok"
