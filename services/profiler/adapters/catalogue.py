"""The catalogue, as far as a profile needs it."""

from __future__ import annotations

from collections.abc import Iterator

from rapport.bus.catalog import CatalogView
from rapport.events.catalog import ProductUpserted, in_language
from services.profiler.domain.observation import Product

# One language for all customers, so that a product has one vector and one name in everybody's profile.
_LANGUAGE = "en"
# Of a product. Words only: numbers (weight, volume) are nobody's taste as such.
_MAX_ATTRIBUTES = 4


class ViewedCatalogue:
    """`Catalogue` on the view of catalog.v1 that the process keeps in memory."""

    def __init__(self, view: CatalogView) -> None:
        self._view = view

    def product(self, tenant: str, product_id: str) -> Product | None:
        listed = self._view.named(tenant, [product_id]).get(product_id)
        if listed is None:
            return None
        return Product(
            title=in_language(listed.title, _LANGUAGE),
            category=listed.category[-1] if listed.category else "",
            brand=listed.brand or "",
            price=listed.price,
            currency=listed.currency or "",
            regular=listed.price,
            attributes=tuple(_attributes(listed))[:_MAX_ATTRIBUTES],
        )


def _attributes(listed: ProductUpserted) -> Iterator[str]:
    """Such as "colour: red". What is there for another language's pages ("colour_zh") says the same once more."""
    translated = tuple(f"_{language}" for language in listed.title if language != _LANGUAGE)
    for name, value in listed.attributes.items():
        if isinstance(value, str) and value and not name.endswith(translated):
            yield f"{name}: {value}"
