"""What becomes of an order: packed, shipped, delivered; reviewed; now and then cancelled or returned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

from rapport.events.behaviour import OrderRefunded, ProductReviewed
from rapport.events.orders import OrderLine, OrderStatus, OrderUpdated
from services.demo.domain.buying import Bought
from services.demo.domain.goods import CURRENCY
from services.demo.domain.plan import Plan
from services.demo.domain.satisfaction import feeling, satisfaction, stars
from services.demo.domain.shopper import Shopper
from services.demo.domain.world import TimedEvent, World

_CANCELLED, _LATE, _REVIEWED = 0.04, 0.1, 0.4
# Who is less pleased than this sends the order back, more often than not.
_DISPLEASED, _RETURNED = 0.4, 0.7
_CARRIERS = ("Northline Parcel", "Feldpost Express")


@dataclass
class OrderLife:
    """Writes the life of one order. All spans are days of the shop."""

    world: World
    plan: Plan
    shopper: Shopper
    bought: Bought
    dice: Random

    def __post_init__(self) -> None:
        self.events: list[TimedEvent] = []
        self.satisfaction: dict[str, float] = {}
        """By product, of those that arrived."""
        self._day = 0.0
        self._late = self.dice.random() < _LATE
        self._carrier = self.dice.choice(_CARRIERS)
        self._tracking = f"NL{self.dice.randrange(10**9):09d}EU"
        self._travel = self.dice.uniform(1.5, 4)

    def tell(self) -> list[TimedEvent]:
        """Everything that will happen, in order of time."""
        self._state("placed", 0)
        self._state("paid", 0.001)
        if self.dice.random() < _CANCELLED:
            self._state("cancelled", 0.05)
            return self.events
        self._state("packed", self.dice.uniform(0.1, 0.4))
        self._state("shipped", self.dice.uniform(0.1, 0.4))
        self._state("delivered", self._travel + (4 if self._late else 0))
        self._reviews()
        if min(self.satisfaction.values()) < _DISPLEASED and self.dice.random() < _RETURNED:
            self._return()
        return self.events

    def _now(self) -> datetime:
        return self.bought.placed_at + self.plan.days(self._day)

    def _put(self, topic: str, key: str, event: OrderUpdated | ProductReviewed | OrderRefunded) -> None:
        event_id = f"{self.bought.order_id}-{len(self.events)}"
        self.events.append(TimedEvent(topic, key, event, self._now(), event_id))

    def _state(self, status: OrderStatus, after_days: float) -> None:
        self._day += after_days
        sent = status in ("shipped", "delivered", "return_requested", "returned", "refunded")
        event = OrderUpdated(
            occurred_at=self._now(),
            order_id=self.bought.order_id,
            customer_id=self.shopper.customer_id,
            status=status,
            placed_at=self.bought.placed_at,
            updated_at=self._now(),
            lines=tuple(
                OrderLine(product_id=p.id, name=p.title[self.shopper.language], price=p.price)
                for p in self.bought.products
            ),
            total=self.bought.total,
            currency=CURRENCY,
            carrier=self._carrier if sent else None,
            tracking_number=self._tracking if sent else None,
            # What the carrier believes: a late parcel is not foreseen.
            expected_at=self._now() + self.plan.days(self._travel) if status == "shipped" else None,
        )
        self._put("orders.v1", event.order_id, event)

    def _reviews(self) -> None:
        for product in self.bought.products:
            if product.id in self.satisfaction:
                continue
            pleased = satisfaction(
                self.plan, self.world.catalog, self.shopper, product, late=self._late, dice=self.dice
            )
            self.satisfaction[product.id] = pleased
            if self.dice.random() > _REVIEWED:
                continue
            self._day += self.dice.uniform(0.3, 2)
            review = ProductReviewed(
                occurred_at=self._now(),
                customer_id=self.shopper.customer_id,
                product_id=product.id,
                review_id=f"rev-{self.bought.order_id}-{len(self.events)}",
                review_body=self._words(product.title[self.shopper.language], pleased),
                rating=stars(pleased),
            )
            self._put("clickstream.v1", review.subject, review)

    def _words(self, title: str, pleased: float) -> str:
        """One or two sentences that fit the feeling; who waited too long says so."""
        aspects = self.world.phrases.reviews[feeling(pleased)]
        named = self.dice.sample([aspect for aspect in aspects if aspect != "delivery"], self.dice.choice((1, 1, 2)))
        words = [self.dice.choice(aspects[aspect][self.shopper.language]) for aspect in named]
        if self._late:
            words.append(self.dice.choice(self.world.phrases.reviews["bad"]["delivery"][self.shopper.language]))
        return ("" if self.shopper.language == "zh" else " ").join(words).format(product=title)

    def _return(self) -> None:
        self._state("return_requested", self.dice.uniform(0.5, 5))
        self._state("returned", self.dice.uniform(2, 5))
        self._state("refunded", self.dice.uniform(0.5, 3))
        refund = OrderRefunded(
            occurred_at=self._now(),
            customer_id=self.shopper.customer_id,
            order_id=self.bought.order_id,
            total=self.bought.total,
            currency=CURRENCY,
        )
        self._put("clickstream.v1", refund.subject, refund)
