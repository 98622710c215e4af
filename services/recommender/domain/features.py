"""What a learned ranker is given of each candidate: scores of the sources, facts of item, customer and moment.

Recorded with each impression as they were when the answer was made. A change of names, order or meaning is a new
`VERSION`: a ranker trained on another is not used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rapport.events.recommendations import ReasonKind
from services.recommender.domain.blend import Candidate
from services.recommender.domain.decay import POPULAR, TRENDING
from services.recommender.domain.products import Product, price_band
from services.recommender.domain.situation import Situation

VERSION = 1
SOURCE_SCORES: tuple[ReasonKind, ...] = (
    "need", "similar", "co_visited", "item_item", "factors", "sequence", "graph", "wish", "trending", "popular",
    "new_arrival",
)  # fmt: skip
_ITEM = (
    "item_trending", "item_popular", "item_ctr", "item_returns", "item_age_days", "item_price_log", "price_gap",
    "category_affinity", "brand_affinity",
)  # fmt: skip
_CUSTOMER = ("customer_events", "customer_orders", "customer_needs", "history")
_PAIR = ("looked", "bought", "shown_unclicked")
_MOMENT = ("hour", "weekday")
FEATURES: tuple[str, ...] = (*SOURCE_SCORES, "sources", *_ITEM, *_CUSTOMER, *_PAIR, *_MOMENT)
# A fact that is not known. Trees part it from every value that can be.
_UNKNOWN = -1.0
_OLDEST_DAYS = 365.0
_DAY_MS = 86_400_000

Matrix = npt.NDArray[np.float32]


def feature_matrix(candidates: Sequence[Candidate], situation: Situation) -> Matrix:
    """[candidates, features], finite. What a source did not find has its score 0."""
    rows = _Rows(situation)
    matrix = np.array([rows.of(candidate) for candidate in candidates], np.float32)
    return matrix.reshape(len(candidates), len(FEATURES))


class _Rows:
    """What is the same for all candidates of an answer, looked up once."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._trending, self._popular = dict(situation.boards.trending), dict(situation.boards.popular)
        profile = situation.profile
        self._affinities: dict[str, dict[str, float]] = {"category": {}, "brand": {}, "price_band": {}}
        for each in profile.affinities if profile else ():
            self._affinities.setdefault(each.dimension, {})[each.value] = each.weight
        self._band = usual_band(self._affinities["price_band"])
        self._customer = (
            math.log1p(profile.event_count if profile else 0),
            math.log1p(profile.value.order_count if profile else 0),
            float(len(situation.needs)),
            float(len(situation.recent)),
        )

    def of(self, candidate: Candidate) -> list[float]:
        situation, product_id = self._situation, candidate.product_id
        found = candidate.found
        scores = [found[kind].score if kind in found else 0.0 for kind in SOURCE_SCORES]
        unclicked = situation.reactions.unclicked(product_id, situation.now_ms)
        return [
            *scores,
            float(len(found)),
            *self._item(product_id),
            *self._customer,
            float(product_id in situation.looked_at),
            float(product_id in situation.bought),
            math.log1p(unclicked),
            float(situation.hour),
            float(situation.weekday),
        ]

    def _item(self, product_id: str) -> list[float]:
        situation, product = self._situation, self._situation.catalogue.get(product_id)
        trending, popular = self._trending.get(product_id), self._popular.get(product_id)
        clock = situation.boards.clock_ms
        facts = [
            0.0 if trending is None else math.log1p(TRENDING.worth(trending, situation.now_ms)),
            0.0 if popular is None else math.log1p(POPULAR.worth(popular, clock)),
            situation.statistics.click_rate(product_id),
            math.log1p(situation.statistics.refused.get(product_id, 0.0)),
        ]
        if product is None:
            return [*facts, _UNKNOWN, _UNKNOWN, _UNKNOWN, 0.0, 0.0]
        return [*facts, *self._of_product(product)]

    def _of_product(self, product: Product) -> tuple[float, ...]:
        arrived, price = product.arrived_ms, product.price
        age = _UNKNOWN if arrived is None else min((self._situation.now_ms - arrived) / _DAY_MS, _OLDEST_DAYS)
        return (
            max(age, _UNKNOWN),
            _UNKNOWN if price is None else math.log1p(price),
            _UNKNOWN if price is None or self._band is None else min(4.0, abs(price_band(price) - self._band)),
            max((self._affinities["category"].get(part, 0.0) for part in product.category), default=0.0),
            self._affinities["brand"].get(product.brand, 0.0),
        )


def usual_band(weights: Mapping[str, float]) -> int | None:
    """The number of the price band that a customer mostly takes ("100-250 EUR" as the profiler names it)."""
    if not weights:
        return None
    low = max(weights, key=lambda name: weights[name]).partition("-")[0]
    try:
        return price_band(float(low))
    except ValueError:
        return None
