"""The shop's pages: they show what the recommender says, and shoppers look, click and go on."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import Any

from rapport.events.base import Event
from rapport.events.behaviour import (
    Behaviour,
    CartViewed,
    ItemClicked,
    ItemsShown,
    PageViewed,
    ProductAdded,
    ProductViewed,
)
from rapport.events.recommendations import RecommendationMade
from services.demo.domain.attention import clicks
from services.demo.domain.goods import Product
from services.demo.domain.interest import Interests
from services.demo.domain.plan import Plan
from services.demo.domain.shopper import Shopper, make_shopper
from services.demo.domain.world import TimedEvent, World

# Of pages that show recommendations, the share on which the shopper scrolls as far as them; and how many are there.
_LOOKS, _SHOWN = 0.4, 6
# A click that leads into the cart: as for products found otherwise, this depends on the price.
_TO_CART = 0.12
# Answers kept; those of the customers who were away longest are forgotten.
_ANSWERS = 50_000
_PAGES = (PageViewed, ProductViewed, CartViewed)


class Storefront:
    """Holds the newest answer for each customer, and tells what shoppers make of it."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world, self._plan = world, plan
        self._products = {product.id: product for product in world.catalog.products}
        self._interests = Interests(world, plan)
        self._dice = plan.random("storefront", plan.run)
        self._answers: OrderedDict[str, RecommendationMade] = OrderedDict()

    def learn(self, customer: str, made: RecommendationMade | None) -> None:
        """The newest answer for a customer; None: there is none any more."""
        self._answers.pop(customer, None)
        if made is not None:
            self._answers[customer] = made
            if len(self._answers) > _ANSWERS:
                self._answers.popitem(last=False)

    def after(self, timed: TimedEvent, now: datetime) -> list[TimedEvent]:
        """What follows when a page with recommendations is opened: they are seen, and some are clicked."""
        event = timed.event
        made = self._answers.get(timed.key)
        if made is None or made.expires_at <= now or not isinstance(event, _PAGES) or self._dice.random() > _LOOKS:
            return []
        shown = [self._products[each.product_id] for each in made.items if each.product_id in self._products][:_SHOWN]
        if not shown:
            return []
        # The same people as in the simulation: who they are follows from the seed and the name.
        shopper = make_shopper(self._world, self._plan, timed.key.partition("-")[2])
        interest = self._interests.of(shopper, now)
        chosen = clicks(shopper, interest, shown, self._world.catalog, self._dice)
        ids = tuple(product.id for product in shown)
        events = [_as(event, ItemsShown, recommendation_id=made.recommendation_id, product_ids=ids)]
        for product in chosen:
            events += self._clicked(event, made, product, shopper)
        return [
            TimedEvent(timed.topic, timed.key, each, timed.time, f"{timed.event_id}-seen-{number}")
            for number, each in enumerate(events)
        ]

    def _clicked(self, page: Behaviour, made: RecommendationMade, product: Product, shopper: Shopper) -> list[Event]:
        seen = product.seen(shopper.language).model_dump(exclude={"quantity"}, exclude_none=True)
        events = [
            _as(page, ItemClicked, recommendation_id=made.recommendation_id, product_id=product.id),
            _as(page, ProductViewed, **seen),
        ]
        if product.stock and self._dice.random() < _TO_CART * (1.5 - shopper.price_sensitivity):
            events.append(_as(page, ProductAdded, **seen, cart_id=f"cart-{page.session_id}"))
        return events


def _as(page: Behaviour, kind: type[Behaviour], **fields: Any) -> Event:
    """An event of the same visit, at the same time."""
    return kind(
        occurred_at=page.occurred_at,
        customer_id=page.customer_id,
        anonymous_id=page.anonymous_id,
        session_id=page.session_id,
        context=page.context,
        **fields,
    )
