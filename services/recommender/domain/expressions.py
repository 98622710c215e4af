"""Filters and promotions in CEL (the Common Expression Language): what they may speak of, and what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import cel

from rapport.events.profiles import ProfileUpdated
from rapport.ops.errors import InvalidRequest
from services.recommender.domain.products import Product

# An expression is a line that a person wrote; a longer one was generated, and would be judged for each candidate.
_LONGEST = 2000
VARIABLES = frozenset({"item", "customer", "tenant", "language", "hour"})
_SAMPLE: Mapping[str, Any] = {
    "item": {
        "id": "p", "brand": "b", "category": ["c"], "price": 1.0, "currency": "EUR", "stock": 1, "attributes": {},
        "languages": ["en"], "age_days": 1.0,
    },
    "customer": {"id": "c", "language": "en", "orders": 1, "events": 1, "brands": {}, "categories": {}},
    "tenant": "t", "language": "en", "hour": 1,
}  # fmt: skip
_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_FIELD = re.compile(r"(?<![\w.])(item|customer)\.(\w+)")


class Expression:
    """A yes or no about one product and one customer.

    It speaks of `item` (id, brand, category, price, currency, stock, attributes, languages, age_days), `customer` (id,
    language, orders, events, brands, categories: weights by name), `tenant`, `language` and `hour`.
    """

    def __init__(self, text: str, field: str = "filter") -> None:
        """Raises `InvalidRequest` naming `field` for what is no such expression."""
        if len(text) > _LONGEST:
            raise InvalidRequest(f"{len(text)} characters, at most {_LONGEST}", field=field)
        self.text = text
        try:
            self._program = cel.compile(text)
        except ValueError as error:
            # "…: ERROR: <input>:1:13: Syntax error: … expecting {" and all that CEL knows.
            said = str(error).splitlines()[0].rpartition("<input>:")[2].partition(" expecting {")[0]
            raise InvalidRequest(f"no CEL expression: {said}", field=field) from error
        unknown = sorted(set(self._program.variables()) - VARIABLES)
        if unknown:
            raise InvalidRequest(
                f"unknown name {unknown[0]!r}", field=field, fix=f"one of {', '.join(sorted(VARIABLES))}"
            )
        # What a product lacks does not fit, so a misspelt field would be a filter that nothing passes.
        for name, asked in _FIELD.findall(_TEXT.sub('""', text)):
            if asked not in _SAMPLE[name]:
                raise InvalidRequest(f"{name} has no {asked!r}", field=field, fix=f"one of {', '.join(_SAMPLE[name])}")
        try:
            sample = self._program.execute(dict(_SAMPLE))
        except (KeyError, IndexError, ValueError):
            return  # the sample lacks an attribute that real products may have
        except (RuntimeError, TypeError) as error:
            raise InvalidRequest(str(error).partition(". ")[0], field=field) from error
        if not isinstance(sample, bool):
            raise InvalidRequest(f"gives {type(sample).__name__}, want true or false", field=field)

    def holds(self, context: Mapping[str, Any]) -> bool:
        """False too where the product lacks what is asked for, or has it in another type."""
        try:
            return self._program.execute(dict(context)) is True
        except (KeyError, TypeError, IndexError, ValueError, RuntimeError):
            return False


def item_context(product: Product, now_ms: int) -> dict[str, Any]:
    """A product as expressions see it; what is not known is left out, so that `has(item.price)` tells."""
    known: dict[str, Any] = {
        "id": product.product_id,
        "brand": product.brand,
        "category": list(product.category),
        "currency": product.currency,
        "attributes": dict(product.attributes),
        "languages": list(product.titles),
    }
    if product.price is not None:
        known["price"] = product.price
    if product.stock is not None:
        known["stock"] = product.stock
    if product.arrived_ms is not None:
        known["age_days"] = max(0, now_ms - product.arrived_ms) / 86_400_000
    return known


def customer_context(customer_id: str, profile: ProfileUpdated | None) -> dict[str, Any]:
    """A customer as expressions see them; of nobody, zeros."""
    affinities = profile.affinities if profile else ()
    return {
        "id": customer_id,
        "language": (profile.language if profile else None) or "",
        "orders": profile.value.order_count if profile else 0,
        "events": profile.event_count if profile else 0,
        "brands": {each.value: each.weight for each in affinities if each.dimension == "brand"},
        "categories": {each.value: each.weight for each in affinities if each.dimension == "category"},
    }
