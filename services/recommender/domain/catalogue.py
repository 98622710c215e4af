"""A tenant's products in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain, zip_longest
from types import MappingProxyType

from services.recommender.domain.products import Product


class Catalogue:
    """Products by id, by category, and those that arrived last."""

    def __init__(self) -> None:
        self._products: dict[str, Product] = {}
        self._shelves: dict[str, dict[str, None]] = {}
        self._arrivals: dict[str, int] = {}
        self._available: set[str] = set()

    @property
    def available(self) -> AbstractSet[str]:
        """The ids of those that are in stock and not hidden."""
        return self._available

    @property
    def products(self) -> Mapping[str, Product]:
        return MappingProxyType(self._products)

    def get(self, product_id: str) -> Product | None:
        return self._products.get(product_id)

    def named(self, product_ids: Iterable[str]) -> Iterator[Product]:
        """Those of the products that are here."""
        return (product for product_id in product_ids if (product := self._products.get(product_id)))

    def put(self, product: Product) -> None:
        """Adds or replaces."""
        before = self._products.get(product.product_id)
        if before is not None and before.shelf != product.shelf:
            self._leave_shelf(before)
        self._products[product.product_id] = product
        (self._available.add if product.available else self._available.discard)(product.product_id)
        self._shelves.setdefault(product.shelf, {})[product.product_id] = None
        if product.arrived_ms is not None:
            self._arrivals[product.product_id] = product.arrived_ms

    def remove(self, product_id: str) -> None:
        product = self._products.pop(product_id, None)
        self._arrivals.pop(product_id, None)
        self._available.discard(product_id)
        if product is not None:
            self._leave_shelf(product)

    def arrivals(self, since_ms: int) -> Iterator[tuple[Product, int]]:
        """Products that arrived since then and when, the newest first."""
        for product_id, at in reversed(self._arrivals.items()):
            if at >= since_ms:
                yield self._products[product_id], at

    def shelf(self, name: str) -> Iterator[str]:
        """The ids of a category's products, the last to come in first."""
        return reversed(self._shelves.get(name, {}))

    def in_turn(self) -> Iterator[Product]:
        """Every product: one of each category, then the next of each; the last to come in first."""
        turns = zip_longest(*map(reversed, self._shelves.values()))
        for product_id in chain.from_iterable(turns):
            if product_id is not None:
                yield self._products[product_id]

    def _leave_shelf(self, product: Product) -> None:
        shelf = self._shelves[product.shelf]
        shelf.pop(product.product_id, None)
        if not shelf:
            del self._shelves[product.shelf]


class Catalogues:
    """The catalogue of each tenant."""

    def __init__(self) -> None:
        self._catalogues: dict[str, Catalogue] = {}

    def of(self, tenant: str) -> Catalogue:
        """Empty for a tenant that has no products yet."""
        return self._catalogues.get(tenant) or Catalogue()

    def put(self, tenant: str, product: Product) -> None:
        self._catalogues.setdefault(tenant, Catalogue()).put(product)

    def remove(self, tenant: str, product_id: str) -> None:
        self.of(tenant).remove(product_id)

    def tenants(self) -> list[str]:
        return list(self._catalogues)
