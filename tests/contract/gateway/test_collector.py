"""The collector: Segment's calls and CloudEvents in, behaviour events out."""

from __future__ import annotations

import json

import httpx
import pytest

from rapport.events.behaviour import ProductViewed
from rapport.events.samples import SAMPLES
from rapport.events.topics import EVENTS
from tests.contract.gateway.fakes import PRIVATE, WRITE, Kafka, basic, bearer

VIEW = {"type": "track", "event": "Product Viewed", "userId": "u-1", "properties": {"product_id": "p-1"}}


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


async def test_kafka_down_is_503_and_nothing_is_claimed(http: httpx.AsyncClient, kafka: Kafka) -> None:
    kafka.down = True
    answer = await http.post("/v1/track", json=VIEW, headers=basic(WRITE))
    assert (answer.status_code, answer.json()["field"]) == (503, "kafka")
