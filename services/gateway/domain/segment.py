"""Segment's HTTP calls as behaviour events.

Source: Segment's HTTP Tracking API and its e-commerce spec v2. `TRACK_NAMES` is the one table of names; it is published
in docs/collector.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rapport.events import behaviour
from rapport.events.base import Time
from rapport.events.codec import schema_violation
from rapport.ops.errors import InvalidRequest

CALLS = ("identify", "track", "page", "screen", "alias")

TRACK_NAMES: Mapping[str, type[behaviour.Behaviour]] = MappingProxyType(
    {
        "Products Searched": behaviour.ProductsSearched,
        "Product List Viewed": behaviour.ProductListViewed,
        "Product Clicked": behaviour.ProductClicked,
        "Product Viewed": behaviour.ProductViewed,
        "Product Added": behaviour.ProductAdded,
        "Product Removed": behaviour.ProductRemoved,
        "Product Added to Wishlist": behaviour.ProductWishlisted,
        "Cart Viewed": behaviour.CartViewed,
        "Checkout Started": behaviour.CheckoutStarted,
        "Order Completed": behaviour.OrderCompleted,
        "Order Refunded": behaviour.OrderRefunded,
        "Coupon Applied": behaviour.CouponApplied,
        "Product Reviewed": behaviour.ProductReviewed,
        "Items Shown": behaviour.ItemsShown,
        "Item Clicked": behaviour.ItemClicked,
        "Content Shown": behaviour.ContentShown,
        "Content Clicked": behaviour.ContentClicked,
    }
)
_BY_FOLDED_NAME = {name.casefold(): event for name, event in TRACK_NAMES.items()}
_TIME: TypeAdapter[datetime] = TypeAdapter(Time)


def to_event(kind: str, call: Mapping[str, Any], received_at: datetime) -> behaviour.Behaviour:
    """The event that a Segment call of `kind` means. Raises `InvalidRequest` or `SchemaViolation` naming the field."""
    fields = _common(call, received_at)
    if kind == "track":
        event = _track(call)
        fields = {**_properties(call, "properties"), **fields}
    elif kind in {"page", "screen"}:
        event = behaviour.PageViewed
        properties = _properties(call, "properties")
        fields = {**properties, "name": call.get("name") or properties.get("title"), **fields}
    elif kind == "identify":
        event, fields = behaviour.Identify, {**fields, "traits": _properties(call, "traits")}
    elif kind == "alias":
        missing = next((name for name in ("userId", "previousId") if not call.get(name)), None)
        if missing:
            raise InvalidRequest("an alias needs both ids", field=missing)
        event, fields = behaviour.Identify, {**fields, "anonymous_id": call["previousId"]}
    else:
        raise InvalidRequest(f"no such call {kind!r}", field="type", fix=f"one of {', '.join(CALLS)}")
    try:
        return event.model_validate({name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        raise schema_violation(error) from error


def _track(call: Mapping[str, Any]) -> type[behaviour.Behaviour]:
    name = call.get("event")
    event = _BY_FOLDED_NAME.get(name.casefold()) if isinstance(name, str) else None
    if event is None:
        raise InvalidRequest(f"no such event {name!r}", field="event", fix=f"one of {', '.join(TRACK_NAMES)}")
    return event


def _common(call: Mapping[str, Any], received_at: datetime) -> dict[str, Any]:
    context = _properties(call, "context")
    device, campaign, page = (context.get(part) or {} for part in ("device", "campaign", "page"))
    found = {
        "device": _inside(device, "type"),
        "locale": context.get("locale"),
        "campaign": _inside(campaign, "name"),
        "page": _inside(page, "url"),
    }
    return {
        "customer_id": call.get("userId"),
        "anonymous_id": call.get("anonymousId"),
        "occurred_at": _occurred_at(call, received_at),
        "context": {name: value for name, value in found.items() if value is not None},
    }


def _occurred_at(call: Mapping[str, Any], received_at: datetime) -> datetime:
    """The device's clock corrected by Segment's rule: received_at - (sentAt - timestamp)."""
    happened, sent = _moment(call, "timestamp"), _moment(call, "sentAt")
    if happened is None:
        return received_at
    # A clock that claims to have sent before it happened is not corrected by a negative age.
    age = max(sent - happened, timedelta()) if sent else None
    return happened if age is None else received_at - age


def _moment(call: Mapping[str, Any], field: str) -> datetime | None:
    value = call.get(field)
    if value is None:
        return None
    try:
        return _TIME.validate_python(value)
    except ValidationError as error:
        raise InvalidRequest("not a time", field=field, fix="RFC 3339 or epoch milliseconds") from error


def _properties(call: Mapping[str, Any], field: str) -> dict[str, Any]:
    value = call.get(field) or {}
    if not isinstance(value, dict):
        raise InvalidRequest("must be an object", field=field)
    return value


def _inside(part: Any, name: str) -> Any:
    return part.get(name) if isinstance(part, dict) else None
