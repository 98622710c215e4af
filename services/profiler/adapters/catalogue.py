"""The catalogue, as far as a profile needs it."""

from __future__ import annotations

from rapport.bus.catalog import CatalogView
from rapport.events.catalog import in_language
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
            attributes=tuple(
                f"{name}: {value}" for name, value in listed.attributes.items() if isinstance(value, str) and value
            )[:_MAX_ATTRIBUTES],
        )
