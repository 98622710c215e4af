"""Segment's calls, unmodified, become behaviour events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from rapport.events import behaviour
from rapport.ops.errors import InvalidRequest, PermanentError, SchemaViolation
from services.gateway.domain.segment import TRACK_NAMES, to_event

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


def test_track_call_of_analytics_js() -> None:
    call = {
        "type": "track",
        "event": "Product Added",
        "userId": "u-1",
        "anonymousId": "a-1",
        "messageId": "ajs-1",
        "properties": {"product_id": "p-1", "sku": "S", "price": 18.99, "currency": "EUR", "quantity": 2},
        "context": {"device": {"type": "mobile"}, "locale": "zh-CN", "page": {"url": "/p"}, "campaign": {"name": "x"}},
        "timestamp": "2026-03-05T11:59:00Z",
    }
    event = to_event("track", call, NOW)
    assert isinstance(event, behaviour.ProductAdded)
    assert (event.customer_id, event.anonymous_id, event.product_id, event.quantity) == ("u-1", "a-1", "p-1", 2)
    assert (event.price, event.context.device, event.context.campaign) == (Decimal("18.99"), "mobile", "x")
    assert event.occurred_at == NOW - timedelta(minutes=1)
    assert event.model_extra == {"sku": "S"}


def test_a_wrong_device_clock_is_corrected_by_the_sending_delay() -> None:
    call = {
        "event": "Product Viewed",
        "userId": "u",
        "properties": {"product_id": "p"},
        "timestamp": "2019-01-01T00:00:00Z",
        "sentAt": "2019-01-01T00:00:07Z",
    }
    assert to_event("track", call, NOW).occurred_at == NOW - timedelta(seconds=7)


def test_every_published_name_maps_whatever_its_case() -> None:
    for name, kind in TRACK_NAMES.items():
        with pytest.raises(SchemaViolation) as caught:  # known, but nobody is named
            to_event("track", {"event": name.lower(), "properties": {}}, NOW)
        assert caught.value.field is not None
        assert kind.event_name


def test_identify_alias_page_and_screen() -> None:
    known = to_event("identify", {"userId": "u", "anonymousId": "a", "traits": {"plan": "gold"}}, NOW)
    assert isinstance(known, behaviour.Identify)
    assert known.traits == {"plan": "gold"}
    alias = to_event("alias", {"userId": "u", "previousId": "a-9"}, NOW)
    assert (alias.customer_id, alias.anonymous_id) == ("u", "a-9")
    page = to_event("page", {"anonymousId": "a", "name": "Home", "properties": {"url": "/"}}, NOW)
    screen = to_event("screen", {"anonymousId": "a", "name": "Cart"}, NOW)
    assert isinstance(page, behaviour.PageViewed)
    assert isinstance(screen, behaviour.PageViewed)
    assert (page.name, page.url, screen.name) == ("Home", "/", "Cart")


@pytest.mark.parametrize(
    ("kind", "call", "field"),
    [
        ("track", {"event": "Teleported", "userId": "u"}, "event"),
        ("track", {"event": 7, "userId": "u"}, "event"),
        ("track", {"event": "Product Viewed", "userId": "u", "properties": []}, None),
        ("track", {"event": "Product Viewed", "userId": "u", "properties": ["x"]}, "properties"),
        ("track", {"event": "Product Viewed", "userId": "u"}, "product_id"),
        ("track", {"event": "Product Viewed", "userId": 5, "properties": {"product_id": "p"}}, "customer_id"),
        ("page", {"name": "Home"}, "value"),
        ("page", {"userId": "u", "timestamp": "noon"}, "timestamp"),
        ("alias", {"previousId": "a"}, "userId"),
        ("alias", {"userId": "a"}, "previousId"),
        ("group", {"userId": "u"}, "type"),
    ],
)
def test_bad_calls_name_the_field(kind: str, call: dict[str, object], field: str | None) -> None:
    with pytest.raises(PermanentError) as caught:
        to_event(kind, call, NOW)
    if field is not None:
        assert caught.value.field == field


def test_unknown_event_lists_what_is_known() -> None:
    with pytest.raises(InvalidRequest) as caught:
        to_event("track", {"event": "Teleported", "userId": "u"}, NOW)
    assert "Product Viewed" in (caught.value.fix or "")
