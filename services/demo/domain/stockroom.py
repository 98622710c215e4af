"""What is left of each product: sold pieces leave, returned ones come back, and what runs low is ordered anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from rapport.events.base import Event
from rapport.events.behaviour import OrderCompleted, OrderRefunded
from rapport.events.catalog import ProductUpserted
from services.demo.domain.goods import Catalog, Product

# Below so many pieces the shop orders; a delivery brings as many as there were at first.
_LOW = 3


class Stockroom:
    """Knows the stock of each product. `delivery`: how long a supplier takes, in the time of the events."""

    def __init__(self, catalog: Catalog, delivery: timedelta) -> None:
        self._products = {product.id: product for product in catalog.products}
        self._left = {product.id: product.stock for product in catalog.products}
        self._delivery = delivery
        self._expected: dict[str, datetime] = {}

    def after(self, event: Event, now: datetime) -> list[ProductUpserted]:
        """Products whose stock has changed by this event, or by deliveries that are due."""
        changed = self._delivered(now)
        if isinstance(event, OrderCompleted):
            changed |= self._moved(((line.product_id, -line.quantity) for line in event.products), now)
        elif isinstance(event, OrderRefunded):
            changed |= self._moved(((line.product_id, line.quantity) for line in event.products), now)
        return [self._upserted(self._products[product_id]) for product_id in sorted(changed)]

    def _moved(self, lines: Iterable[tuple[str, int]], now: datetime) -> set[str]:
        changed = set()
        for product_id, pieces in lines:
            # What the catalogue never had in stock is sold by suppliers directly, and not counted here.
            if self._products[product_id].stock:
                self._left[product_id] = max(0, self._left[product_id] + pieces)
                changed.add(product_id)
                if self._left[product_id] < _LOW:
                    self._expected.setdefault(product_id, now + self._delivery)
        return changed

    def _delivered(self, now: datetime) -> set[str]:
        due = {product_id for product_id, at in self._expected.items() if at <= now}
        for product_id in due:
            del self._expected[product_id]
            self._left[product_id] += self._products[product_id].stock
        return due

    def _upserted(self, product: Product) -> ProductUpserted:
        return product.upserted().model_copy(update={"stock": self._left[product.id]})
