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
from services.recommender.domain.decay import POPULAR, TRENDING
from services.recommender.domain.pool import Candidate, Places, Pool
from services.recommender.domain.products import Product, price_band
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Floats

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
# Of a product that has left the catalogue.
_GONE = (_UNKNOWN, _UNKNOWN, _UNKNOWN, 0.0, 0.0)
_OLDEST_DAYS = 365.0
_DAY_MS = 86_400_000

Matrix = npt.NDArray[np.float32]


def feature_matrix(pool: Pool, places: Places, situation: Situation) -> Matrix:
    """[places, features] of some candidates, finite. What a source did not find has its score 0."""
    return features_of([pool.product_ids[at] for at in places.tolist()], pool.columns(SOURCE_SCORES, places), situation)


def chosen_features(chosen: Sequence[Candidate], situation: Situation) -> Matrix:
    """[chosen, features] of candidates of one pool; of what only fills a list, no source says anything."""
    rows = [at for at, each in enumerate(chosen) if each.pool is not None]
    scores, found = np.zeros((len(chosen), len(SOURCE_SCORES))), np.zeros(len(chosen))
    pool = chosen[rows[0]].pool if rows else None
    if pool is not None:
        places = np.array([chosen[at].place for at in rows], np.intp)
        scores[rows], found[rows] = pool.columns(SOURCE_SCORES, places)
    return features_of([each.product_id for each in chosen], (scores, found), situation)


def features_of(product_ids: Sequence[str], said: tuple[Floats, Floats], situation: Situation) -> Matrix:
    """`said`: the scores of the sources, [products, sources], and how many of them found each."""
    count, width = len(product_ids), len(SOURCE_SCORES)
    matrix = np.empty((count, len(FEATURES)), np.float32)
    matrix[:, :width], matrix[:, width] = said
    begin = width + 1
    matrix[:, begin : begin + len(_ITEM)] = np.array(_items(product_ids, situation)).reshape(count, len(_ITEM))
    begin += len(_ITEM)
    matrix[:, begin : begin + len(_CUSTOMER)] = _customer(situation)
    begin += len(_CUSTOMER)
    reactions, now_ms = situation.reactions, situation.now_ms
    matrix[:, begin] = [product_id in situation.looked_at for product_id in product_ids]
    matrix[:, begin + 1] = [product_id in situation.bought for product_id in product_ids]
    matrix[:, begin + 2] = [math.log1p(reactions.unclicked(product_id, now_ms)) for product_id in product_ids]
    matrix[:, begin + len(_PAIR) :] = (situation.hour, situation.weekday)
    return matrix


def _customer(situation: Situation) -> tuple[float, ...]:
    profile = situation.profile
    return (
        math.log1p(profile.event_count if profile else 0),
        math.log1p(profile.value.order_count if profile else 0),
        float(len(situation.needs)),
        float(len(situation.recent)),
    )


def _items(product_ids: Sequence[str], situation: Situation) -> list[tuple[float, ...]]:
    """What is known of each product, and how it fits what the customer takes."""
    affinities: dict[str, dict[str, float]] = {"category": {}, "brand": {}, "price_band": {}}
    for each in situation.profile.affinities if situation.profile else ():
        affinities.setdefault(each.dimension, {})[each.value] = each.weight
    band = usual_band(affinities["price_band"])
    (trending, popular), clock = situation.boards.marks, situation.boards.clock_ms
    statistics, catalogue = situation.statistics, situation.catalogue
    rows = []
    for product_id in product_ids:
        hot, liked = trending.get(product_id), popular.get(product_id)
        product = catalogue.get(product_id)
        known = _of_product(product, situation.now_ms, band, affinities) if product else _GONE
        rows.append(
            (
                0.0 if hot is None else math.log1p(TRENDING.worth(hot, situation.now_ms)),
                0.0 if liked is None else math.log1p(POPULAR.worth(liked, clock)),
                statistics.click_rate(product_id),
                math.log1p(statistics.refused.get(product_id, 0.0)),
                *known,
            )
        )
    return rows


def _of_product(
    product: Product, now_ms: int, band: int | None, affinities: Mapping[str, Mapping[str, float]]
) -> tuple[float, ...]:
    arrived, price, categories = product.arrived_ms, product.price, affinities["category"]
    age = _UNKNOWN if arrived is None else min((now_ms - arrived) / _DAY_MS, _OLDEST_DAYS)
    return (
        max(age, _UNKNOWN),
        _UNKNOWN if price is None else math.log1p(price),
        _UNKNOWN if product.band is None or band is None else min(4.0, abs(product.band - band)),
        max((categories.get(part, 0.0) for part in product.category), default=0.0) if categories else 0.0,
        affinities["brand"].get(product.brand, 0.0),
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
