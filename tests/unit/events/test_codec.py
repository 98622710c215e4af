"""Whatever lies on a topic, decoding gives an event or a typed violation that names the field."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.events import codec
from rapport.events.behaviour import ProductViewed
from rapport.events.codec import Decoded, decode, encode
from rapport.events.envelope import Envelope
from rapport.events.topics import TOPICS
from rapport.ops.errors import SchemaViolation, SizeViolation

CLICKS, CATALOG = TOPICS["clickstream.v1"], TOPICS["catalog.v1"]
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
EVENT = ProductViewed(customer_id="c-1", product_id="p-1")
VALUE, HEADERS = encode(EVENT, Envelope("e-1", EVENT.ce_type(), "/tests", NOON, "default"))
STRUCTURED = [("content-type", b"application/cloudevents+json")]


def read(key=b"c-1", value=VALUE, headers=HEADERS, topic=CLICKS, max_bytes=10_000) -> Decoded:  # type: ignore[no-untyped-def]
    return decode(
        topic, key, value, headers, timestamp_ms=1_000, fallback_id="t:0:5", tenant="default", max_bytes=max_bytes
    )


def with_header(name: str, raw: bytes | None) -> list[tuple[str, bytes]]:
    kept = [(n, v) for n, v in HEADERS if n != name]
    return kept if raw is None else [*kept, (name, raw)]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("value", {"value": b"{"}),
        ("value", {"value": b"\xff\xfe"}),
        ("value", {"value": b""}),
        ("value", {"value": b"[1]"}),
        ("value", {"value": None}),
        ("product_id", {"value": b'{"customer_id":"c-1"}'}),
        ("product_id", {"value": b'{"customer_id":"c-1","product_id":7}'}),
        ("product_id", {"value": json.dumps({"customer_id": "c-1", "product_id": "x" * 257}).encode()}),
        ("value", {"value": b'{"product_id":"p"}'}),
        ("occurred_at", {"value": b'{"customer_id":"c-1","product_id":"p","occurred_at":"soon"}'}),
        ("occurred_at", {"value": b'{"customer_id":"c-1","product_id":"p","occurred_at":1e30}'}),
        ("occurred_at", {"value": b'{"customer_id":"c-1","product_id":"p","occurred_at":true}'}),
        ("price", {"value": b'{"customer_id":"c-1","product_id":"p","price":"-1"}'}),
        ("currency", {"value": b'{"customer_id":"c-1","product_id":"p","currency":"euro"}'}),
        ("key", {"key": None}),
        ("key", {"key": b"c-2"}),
        ("key", {"key": b"\xff"}),
        ("ce_id", {"headers": with_header("ce_id", None)}),
        ("ce_id", {"headers": with_header("ce_id", b"x" * 257)}),
        ("ce_type", {"headers": with_header("ce_type", None)}),
        ("ce_type", {"headers": with_header("ce_type", b"rapport.product_viewed.v9")}),
        ("ce_type", {"headers": with_header("ce_type", b"rapport.teleported.v1")}),
        ("ce_type", {"headers": with_header("ce_type", b"rapport.product_upserted.v1")}),
        ("envelope", {"headers": with_header("ce_time", b"yesterday")}),
        ("envelope", {"headers": with_header("ce_specversion", b"0.7")}),
        ("envelope", {"headers": with_header("ce_source", b"\xff")}),
        ("ce_id", {"headers": []}),
        ("envelope", {"headers": STRUCTURED, "value": b"[]"}),
        ("envelope", {"headers": STRUCTURED, "value": b"[" * 5_000}),
        ("ce_id", {"headers": STRUCTURED, "value": b"{}"}),
    ],
)
def test_bad_message_names_the_field(field: str, message: dict[str, object]) -> None:
    with pytest.raises(SchemaViolation) as caught:
        read(**message)
    assert caught.value.field == field


def test_wrong_version_names_the_known_one() -> None:
    with pytest.raises(SchemaViolation, match=r"version not supported, known: rapport\.product_viewed\.v1"):
        read(headers=with_header("ce_type", b"rapport.product_viewed.v2"))


def test_too_large_is_a_size_violation() -> None:
    with pytest.raises(SizeViolation, match="at most 10000"):
        read(value=b"x" * 10_001)


def test_tombstone_only_where_the_topic_is_compacted() -> None:
    delisted = read(key=b"p-1", value=None, headers=[], topic=CATALOG)
    assert (delisted.event, delisted.key, delisted.envelope.id) == (None, "p-1", "t:0:5")


def test_missing_time_is_the_brokers() -> None:
    assert read(headers=with_header("ce_time", None)).envelope.time == datetime.fromtimestamp(1, UTC)


def test_times_are_utc_whatever_the_sender_wrote() -> None:
    for text in ('"2026-03-05T13:00:00+01:00"', '"2026-03-05T12:00:00"', "1772712000000", '"1772712000000"'):
        value = f'{{"customer_id":"c-1","product_id":"p","occurred_at":{text}}}'.encode()
        assert read(value=value).event.occurred_at == NOON  # type: ignore[union-attr]


@given(value=st.binary(max_size=200), key=st.binary(max_size=20), header=st.binary(max_size=20))
def test_any_bytes_are_an_event_or_a_violation(value: bytes, key: bytes, header: bytes) -> None:
    for name in ("ce_id", "ce_type", "ce_time", "content-type", "ce_source"):
        for headers in (with_header(name, header), [*STRUCTURED, (name, header)]):
            try:
                read(key=key, value=value, headers=headers)
            except SchemaViolation:
                continue


@given(
    id_=st.text(min_size=1, max_size=40),
    tenant=st.sampled_from([None, b"default", b"", "店".encode(), b"\xff"]),
    time=st.sampled_from([None, b"2026-03-05T12:00:00Z", b"2026-03-05T12:00:00.5+08:00", b"20260305", b"noon", b""]),
    more=st.sampled_from(
        [None, ("ce_subject", b"s"), ("ce_Bad-name", b"x"), ("ce_specversion", b"0.3"), ("own", b"1")]
    ),
)
def test_the_short_way_says_what_the_sdk_says(
    id_: str, tenant: bytes | None, time: bytes | None, more: tuple[str, bytes] | None
) -> None:
    headers = [(name, raw) for name, raw in HEADERS if name not in ("ce_id", "ce_tenant", "ce_time")]
    headers += [("ce_id", id_.encode("utf-8", "replace"))]
    optional = [("ce_tenant", tenant), ("ce_time", time), more or ("", None)]
    headers += [(name, raw) for name, raw in optional if raw is not None]

    def outcome() -> object:
        try:
            return read(headers=headers)
        except SchemaViolation as error:
            return error.field

    short = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codec, "plain_attributes", lambda _: None)
        assert short == outcome()
