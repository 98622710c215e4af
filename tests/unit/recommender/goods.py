"""What a recommender is tried on: fifteen products, and profiles of customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rapport.events.catalog import ProductUpserted
from rapport.events.profiles import ProfileUpdated
from rapport.testing.events import BEGIN

WORDS = {
    "shoes": ("trail running shoes", "road running shoes", "racing shoes", "walking shoes", "winter running shoes"),
    "coffee": ("drip coffee maker", "moka coffee pot", "coffee grinder", "espresso coffee machine", "coffee beans"),
    "lamps": ("desk lamp", "floor lamp", "bedside lamp", "garden lamp", "reading lamp"),
}


def product(product_id: str, title: str, shelf: str, **more: Any) -> ProductUpserted:
    """Its category path is Shop > shelf, and its Chinese title ends in 中文."""
    return ProductUpserted.model_validate(
        {
            "product_id": product_id,
            "title": {"en": title, "zh": f"{title}中文"},
            "category": ["Shop", shelf],
            "price": "9.90",
            "currency": "EUR",
            **more,
        }
    )


GOODS = {
    f"{shelf}-{number}": product(f"{shelf}-{number}", title, shelf)
    for shelf, titles in WORDS.items()
    for number, title in enumerate(titles)
}


def profile(
    customer: str, needs: Sequence[str] = (), *, revision: int = 1, at: datetime = BEGIN, **more: Any
) -> ProfileUpdated:
    """`needs`: labels, the first twice as strong as the next."""
    weights = [2.0**-number for number in range(len(needs))]
    parts = [
        {
            "label": label,
            "strength": weight / sum(weights),
            "half_life_hours": 168,
            "evidence": ["e1"],
            "updated_at": at,
        }
        for label, weight in zip(needs, weights, strict=True)
    ]
    session = {
        "session_id": "s1",
        "started_at": at,
        "last_event_at": at,
        "event_count": 1,
        "funnel_stage": "browse",
        "session_count": 1,
    }
    return ProfileUpdated.model_validate(
        {
            "customer_id": customer,
            "revision": revision,
            "first_seen_at": at,
            "last_seen_at": at,
            "event_count": revision,
            "needs": parts,
            "session": session,
            "trigger_event_id": f"event-{revision}",
            **more,
        }
    )
