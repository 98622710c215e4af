"""Behaviour events (topic clickstream.v1): the Segment e-commerce v2 vocabulary in snake case."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from rapport.events.base import Amount, Currency, Event, Id, Payload


class Context(Payload):
    """Where and how. All fields may be missing."""

    device: str | None = None
    """mobile, desktop, tablet, …"""
    locale: str | None = None
    """BCP 47, e.g. zh-CN."""
    campaign: str | None = None
    page: str | None = None
    """URL or path."""


class Behaviour(Event):
    """What every behaviour event carries."""

    customer_id: Id | None = None
    """Known customer. One of customer_id and anonymous_id must be there."""
    anonymous_id: Id | None = None
    """Device or browser, before the customer is known."""
    session_id: Id | None = None
    """The shop's own session, if it has one; Rapport finds sessions by itself (30 min gap)."""
    context: Context = Context()

    @model_validator(mode="after")
    def _somebody(self) -> Behaviour:
        if self.customer_id is None and self.anonymous_id is None:
            raise ValueError("customer_id or anonymous_id is required")
        return self

    @property
    def subject(self) -> str:
        """Who it is about; the topic's key."""
        return self.customer_id or self.anonymous_id or ""


class ProductFields(Payload):
    """A product as seen by an event. Only the id is required; what is known of it comes from the catalogue."""

    product_id: Id
    name: str | None = None
    category: str | None = None
    brand: str | None = None
    variant: str | None = None
    price: Amount | None = None
    currency: Currency | None = None
    quantity: Annotated[int, Field(ge=0)] = 1
    position: Annotated[int, Field(ge=0)] | None = None
    coupon: str | None = None


class _ProductEvent(Behaviour, ProductFields):
    pass


class ProductsSearched(Behaviour):
    """The customer searched."""

    event_name: ClassVar[str] = "products_searched"
    query: Annotated[str, Field(max_length=2000)]
    result_count: Annotated[int, Field(ge=0)] | None = None


class ProductListViewed(Behaviour):
    """The customer saw a list or category."""

    event_name: ClassVar[str] = "product_list_viewed"
    list_id: Id | None = None
    category: str | None = None
    products: tuple[ProductFields, ...] = ()


class ProductClicked(_ProductEvent):
    """The customer clicked a product in a list."""

    event_name: ClassVar[str] = "product_clicked"


class ProductViewed(_ProductEvent):
    """The customer opened a product's page."""

    event_name: ClassVar[str] = "product_viewed"


class ProductAdded(_ProductEvent):
    """Into the cart."""

    event_name: ClassVar[str] = "product_added"
    cart_id: Id | None = None


class ProductRemoved(_ProductEvent):
    """Out of the cart."""

    event_name: ClassVar[str] = "product_removed"
    cart_id: Id | None = None


class ProductWishlisted(_ProductEvent):
    """Onto the wish list."""

    event_name: ClassVar[str] = "product_wishlisted"


class CartViewed(Behaviour):
    event_name: ClassVar[str] = "cart_viewed"
    cart_id: Id | None = None
    products: tuple[ProductFields, ...] = ()


class CheckoutStarted(Behaviour):
    event_name: ClassVar[str] = "checkout_started"
    order_id: Id | None = None
    value: Amount | None = None
    currency: Currency | None = None
    products: tuple[ProductFields, ...] = ()


class OrderCompleted(Behaviour):
    """Bought. `total` is what the customer pays, shipping and taxes included."""

    event_name: ClassVar[str] = "order_completed"
    order_id: Id
    total: Amount
    currency: Currency
    products: Annotated[tuple[ProductFields, ...], Field(min_length=1)]
    coupon: str | None = None


class OrderRefunded(Behaviour):
    """Money back. No products: the whole order."""

    event_name: ClassVar[str] = "order_refunded"
    order_id: Id
    total: Amount | None = None
    currency: Currency | None = None
    products: tuple[ProductFields, ...] = ()


class CouponApplied(Behaviour):
    event_name: ClassVar[str] = "coupon_applied"
    coupon_id: Id
    discount: Amount | None = None


class ProductReviewed(Behaviour):
    event_name: ClassVar[str] = "product_reviewed"
    product_id: Id
    review_id: Id | None = None
    review_body: Annotated[str, Field(max_length=20_000)]
    rating: Annotated[float, Field(ge=0, le=5)] | None = None


class PageViewed(Behaviour):
    event_name: ClassVar[str] = "page_viewed"
    name: str | None = None
    url: str | None = None


class Identify(Behaviour):
    """What is known of a visitor. Both ids together say that the anonymous visitor is this customer."""

    event_name: ClassVar[str] = "identify"
    traits: dict[str, Any] = {}


class ItemsShown(Behaviour):
    """Impressions: which recommended items were seen."""

    event_name: ClassVar[str] = "items_shown"
    recommendation_id: Id
    product_ids: tuple[Id, ...]


class ItemClicked(Behaviour):
    event_name: ClassVar[str] = "item_clicked"
    recommendation_id: Id
    product_id: Id


class ContentShown(Behaviour):
    event_name: ClassVar[str] = "content_shown"
    content_id: Id
    variant: str


class ContentClicked(Behaviour):
    event_name: ClassVar[str] = "content_clicked"
    content_id: Id
    variant: str
