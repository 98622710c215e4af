"""What may be shown: the caller's wish, the shop's policy, and what the customer has to do with a product."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.expressions import Expression, customer_context, item_context
from services.recommender.domain.products import Product
from services.recommender.domain.situation import Situation

# Products that expressions are asked about in one answer, some 25 µs each. A filter that nothing fits would otherwise
# go through the whole catalogue while calls wait; past it, products count as not fitting.
_MOST_JUDGED = 4000


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller asks for."""

    limit: int
    category: str = ""
    """Empty: all."""
    exclude: frozenset[str] = frozenset()
    language: str = ""
    """Of the reasons (BCP 47); empty: the customer's, or the shop's."""
    filter: Expression | None = None


@dataclass(frozen=True, slots=True)
class Promotion:
    """Lifts what it fits, and says so."""

    name: str
    """Shown in the reason."""
    when: Expression
    boost: float
    """Added to the score, on the scale of the sources: 0.2 decides between equals, 1 leads."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The shop's rules."""

    repeat_categories: frozenset[str] = frozenset()
    """Categories that people buy again (case-folded): there, what was bought may be recommended."""
    most_of_a_category: float = 0.5
    """Largest share of the list that one category may have while there is something else to show."""
    filters: tuple[Expression, ...] = ()
    """What is shown must fit all of them."""
    promotions: tuple[Promotion, ...] = ()
    diversity: float = 0.0
    """0: by score alone; towards 1: the less alike, the better (MMR)."""
    explore: float = 0.0
    """Probability that a place behind the first five is given to a product from further down."""
    price_fit: float = 0.0
    """How much of its score a product loses that is far from the price bands that the customer takes."""


class Standing(Enum):
    """What a customer has to do with a product."""

    FRESH = "nothing yet"
    SEEN = "looked at it lately"
    BOUGHT = "has it"


class Admission:
    """Which products an answer may hold."""

    def __init__(self, situation: Situation, wish: Wish, policy: Policy) -> None:
        self._situation = situation
        self._catalogue: Catalogue = situation.catalogue
        self._wish, self._policy = wish, policy
        self._expressions = policy.filters + ((wish.filter,) if wish.filter else ())
        self._judged: dict[str, bool] = {}
        self.bought, self.recent = situation.bought, situation.looked_at

    def showable(self, product_id: str) -> Product | None:
        """The product, when it is in stock, not hidden, not refused by the customer, and what was asked for."""
        product = self._catalogue.get(product_id)
        if product is None or not product.available or product_id in self._wish.exclude:
            return None
        if self._wish.category and not product.within(self._wish.category):
            return None
        if self._situation.reactions.rejected(product_id, self._situation.now_ms):
            return None
        return product if not self._expressions or self._fits(product) else None

    def standing(self, product: Product) -> Standing:
        """What the customer has to do with it. Nothing counts as bought that one buys again."""
        again = self._policy.repeat_categories
        if product.product_id in self.bought and not any(part.casefold() in again for part in product.category):
            return Standing.BOUGHT
        return Standing.SEEN if product.product_id in self.recent else Standing.FRESH

    def promotions(self, product: Product) -> list[Promotion]:
        """Those that the product is part of."""
        if not self._policy.promotions:
            return []
        context = self.context | {"item": item_context(product, self._situation.now_ms)}
        return [promotion for promotion in self._policy.promotions if promotion.when.holds(context)]

    @cached_property
    def context(self) -> dict[str, Any]:
        """What expressions may speak of beside the item."""
        situation = self._situation
        return {
            "customer": customer_context(situation.customer_id, situation.profile),
            "tenant": situation.tenant,
            "language": self._wish.language,
            "hour": situation.hour,
        }

    def _fits(self, product: Product) -> bool:
        known = self._judged.get(product.product_id)
        if known is None:
            if len(self._judged) >= _MOST_JUDGED:
                return False
            context = self.context | {"item": item_context(product, self._situation.now_ms)}
            known = all(expression.holds(context) for expression in self._expressions)
            self._judged[product.product_id] = known
        return known
