"""One valid example of every event: what the documents show, and what the contract tests send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_AT = "2026-03-05T09:30:00Z"
_WHO: dict[str, Any] = {"customer_id": "c-1001", "occurred_at": _AT, "context": {"device": "mobile", "locale": "en-GB"}}
_ITEM: dict[str, Any] = {"product_id": "p-204", "price": "129.00", "currency": "EUR"}
_LINE: dict[str, Any] = {**_ITEM, "quantity": 1}
_DECISION: dict[str, Any] = {"attempt": 1, "author": "template", "text": "Trail Runner 2 is 20% off.", "accepted": True}

SAMPLES: Mapping[str, dict[str, Any]] = {
    "products_searched": {**_WHO, "query": "light trail running shoes", "result_count": 14},
    "product_list_viewed": {**_WHO, "category": "Running shoes", "products": [_ITEM]},
    "product_clicked": {**_WHO, **_ITEM, "position": 3},
    "product_viewed": {**_WHO, **_ITEM},
    "product_added": {**_WHO, **_LINE, "cart_id": "cart-7"},
    "product_removed": {**_WHO, **_LINE, "cart_id": "cart-7"},
    "product_wishlisted": {**_WHO, **_ITEM},
    "cart_viewed": {**_WHO, "cart_id": "cart-7", "products": [_LINE]},
    "checkout_started": {**_WHO, "order_id": "o-9", "value": "129.00", "currency": "EUR", "products": [_LINE]},
    "order_completed": {**_WHO, "order_id": "o-9", "total": "133.90", "currency": "EUR", "products": [_LINE]},
    "order_refunded": {**_WHO, "order_id": "o-9", "total": "129.00", "currency": "EUR"},
    "coupon_applied": {**_WHO, "coupon_id": "SPRING10", "discount": "12.90"},
    "product_reviewed": {**_WHO, "product_id": "p-204", "review_body": "Light, and grips well on mud.", "rating": 5},
    "page_viewed": {**_WHO, "name": "Size guide", "url": "/help/sizes"},
    "identify": {**_WHO, "anonymous_id": "a-77", "traits": {"plan": "member"}},
    "items_shown": {**_WHO, "recommendation_id": "r-1", "product_ids": ["p-204", "p-205"]},
    "item_clicked": {**_WHO, "recommendation_id": "r-1", "product_id": "p-204"},
    "content_shown": {**_WHO, "content_id": "k-1", "variant": "a"},
    "content_clicked": {**_WHO, "content_id": "k-1", "variant": "a"},
    "product_upserted": {
        "product_id": "p-204", "title": {"en": "Trail Runner 2", "zh": "越野跑鞋二代"}, "category": ["Sports", "Running shoes"],
        "description": {"en": "Grip for wet ground.", "zh": "湿地也防滑。"}, "brand": "Fernhill", "price": "129.00",
        "currency": "EUR", "stock": 40, "attributes": {"drop_mm": 6, "waterproof": True},
    },
    "article_upserted": {
        "article_id": "returns-en", "language": "en", "title": "Returns", "body": "You can return items within 30 days.",
        "kind": "policy", "translation_of": "returns",
    },
    "profile_updated": {
        "customer_id": "c-1001", "revision": 3, "first_seen_at": _AT, "last_seen_at": _AT, "event_count": 3,
        "needs": [{"label": "Running shoes", "strength": 1.0, "half_life_hours": 168, "evidence": ["e-3"], "updated_at": _AT}],
        "encoder": "intfloat/multilingual-e5-small@1",
        "session": {"session_id": "s-1", "started_at": _AT, "last_event_at": _AT, "event_count": 3,
                    "funnel_stage": "consider", "session_count": 1},
        "affinities": [{"dimension": "category", "value": "Running shoes", "weight": 1.0}],
        "recent_product_ids": ["p-204"], "trigger_event_id": "e-3",
        "segments": [{"segment_id": "taste-2", "name": "Running shoes & Jackets", "family": "taste", "confidence": 0.8, "since": _AT}],
        "propensity": {"session": 0.12, "model": "session@4096"},
        "outlook": {"alive": 0.9, "churn_risk": 0.3, "expected_orders": 1.2, "expected_value": 96.5, "horizon_days": 90.0,
                    "model_version": "20260305-093000-1a2b3c"},
        "aspects": [{"aspect": "delivery", "score": -0.4, "count": 2}],
    },
    "segment_changed": {
        "customer_id": "c-1001", "segment": "Running shoes & Jackets", "segment_id": "taste-2", "family": "taste",
        "change": "entered", "reason": "interest in Running shoes, as Running shoes & Jackets customers have", "confidence": 0.8,
    },
    "insight_found": {
        "insight_id": "i-1", "subject": "search:gore-tex", "kind": "search_gap", "size": 41, "confidence": 0.9,
        "sentence": "41 searches for gore-tex found nothing this week.", "period_start": _AT, "period_end": _AT,
    },
    "recommendation_made": {
        "recommendation_id": "r-1", "customer_id": "c-1001", "strategy": "personalised", "profile_revision": 3,
        "items": [{"product_id": "p-205", "score": 0.83, "reasons": [
            {"kind": "need", "text": "Fits your interest in running shoes.", "subject": "Running shoes", "weight": 0.7}]}],
        "created_at": _AT, "expires_at": "2026-03-05T10:30:00Z", "trigger_event_id": "e-3",
    },
    "impression_recorded": {
        "recommendation_id": "r-1", "customer_id": "c-1001", "shown_at": _AT, "made_at": _AT, "source": "pull",
        "strategy": "personalised", "product_ids": ["p-205"], "positions": [0], "scores": [0.83], "propensities": [1.0],
        "feature_version": 1, "features": "AQICAAEAAAABAAAAAAAAPw==",
    },
    "chat_message": {
        "conversation_id": "v-1", "message_id": "m-1", "customer_id": "c-1001", "text": "How long do I have to return shoes?",
    },
    "chat_reply": {
        "reply_id": "m-1:reply", "conversation_id": "v-1", "in_reply_to": "m-1", "text": "You can return items within 30 days.",
        "language": "en", "action": "answer", "confidence": 0.86, "sources": [
            {"kind": "article", "id": "returns-en", "title": "Returns", "quote": "You can return items within 30 days."}],
    },
    "handoff_requested": {
        "handoff_id": "m-2:handoff", "conversation_id": "v-1", "reason": "requested", "language": "en",
        "summary": "Wants to talk to a person about a return.", "transcript": [{"role": "customer", "text": "A person, please", "at": _AT}],
    },
    "chat_feedback": {
        "feedback_id": "f-1", "conversation_id": "v-1", "reply_id": "m-1:reply", "rating": "down", "reason": "not what I asked",
    },
    "order_updated": {
        "order_id": "o-9", "customer_id": "c-1001", "status": "shipped", "placed_at": _AT, "updated_at": _AT,
        "lines": [{"product_id": "p-204", "quantity": 1, "price": "129.00"}], "total": "133.90", "currency": "EUR",
    },
    "order_action_requested": {
        "action_id": "a-1", "order_id": "o-9", "customer_id": "c-1001", "action": "return", "reason": "too small",
    },
    "content_requested": {
        "request_id": "q-1", "kind": "campaign", "channel": "email", "language": "en", "product_ids": ["p-204"],
        "discount_percent": "20", "starts_at": _AT, "ends_at": "2026-03-12T00:00:00Z",
    },
    "content_published": {
        "content_id": "k-1", "request_id": "q-1", "kind": "campaign", "channel": "email", "language": "en",
        "variants": [{"variant_id": "a", "text": "Trail Runner 2 is 20% off.", "author": "template", "trail": [_DECISION]}],
    },
    "content_drafted": {
        "content_id": "k-1", "status": "pending", "created_at": _AT, "content": {
            "content_id": "k-1", "request_id": "q-1", "kind": "campaign", "channel": "email", "language": "en",
            "variants": [{"variant_id": "a", "text": "Trail Runner 2 is 20% off.", "author": "template", "trail": [_DECISION]}]},
    },
    "consent_changed": {"customer_id": "c-1001", "fields": ["first_name"], "first_name": "Ada"},
    "experiment_changed": {
        "experiment_id": "x-1", "content_id": "k-1", "plan": {"mode": "bandit", "metric": "click"}, "started_at": _AT,
        "variations": [{"variation_id": "a", "author": "template"}, {"variation_id": "b", "author": "model"}],
    },
    "experiment_viewed": {"experiment_id": "x-1", "variation_id": "b", "customer_id": "c-1001"},
    "experiment_outcome": {"experiment_id": "x-1", "variation_id": "b", "customer_id": "c-1001", "metric": "click", "viewed_at": _AT},
    "alert_raised": {"alert_id": "al-1", "subject": "p-204", "kind": "stock", "sentence": "Trail Runner 2 sells out in two days."},
    "identity_linked": {"customer_id": "a-77", "same_as": "c-1001"},
    "profile_absorbed": {"customer_id": "c-1001", "absorbed_id": "a-77", "state": "AYA=", "via": ["a-77"]},
    "time_passed": {"customer_id": "c-1001"},
    "customer_said": {"customer_id": "c-1001", "conversation_id": "v-1", "message_id": "m-1", "text": "Are these waterproof?"},
    "journey_linked": {"customer_id": "a-77", "same_as": "c-1001"},
    "journey_joined": {"customer_id": "c-1001", "joined_id": "a-77", "journey": "{}", "via": ["a-77"]},
    "model_promoted": {"model": "encoder", "version": "2", "location": "/models/encoder-2"},
    "privacy_requested": {"request_id": "pr-1", "customer_id": "c-1001", "action": "erase"},
    "privacy_done": {"request_id": "pr-1", "customer_id": "c-1001", "service": "profiler", "action": "erase", "records": {"profile": 1}},
}  # fmt: skip
