"""What moves a score after it was made: promotions, the customer's price bands, and what they are tired of."""

from __future__ import annotations

import numpy as np

from services.recommender.domain.pool import Places, Pool
from services.recommender.domain.products import price_band
from services.recommender.domain.rules import Admission, Policy, Promotion
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Finds

# Candidates that are looked at: what is behind them would need more than any promotion gives.
_MOST_ADJUSTED = 300
# What was shown without a click loses this share of its score each time: after five times a third is left.
_TIRED = 0.2
# Bands of distance from which a product has nothing of the customer's bands: two are a factor of five in price.
_FAR = 2.0


def adjust(pool: Pool, situation: Situation, admission: Admission, policy: Policy) -> Places:
    """Moves the scores; the places of the candidates in order."""
    order = pool.best()
    head = order[:_MOST_ADJUSTED]
    bands = _bands(situation) if policy.price_fit else {}
    if bands:
        pool.scores[head] *= 1.0 - policy.price_fit * _misfits(pool, head, situation, bands)
    for product_id in situation.reactions.products:
        unclicked = situation.reactions.unclicked(product_id, situation.now_ms)
        if unclicked and product_id in pool.place:
            pool.scores[pool.place[product_id]] *= (1.0 - _TIRED) ** unclicked
    if policy.promotions:
        _promote(pool, head, situation, admission)
    # What was not looked at stays behind, in its order.
    return np.concatenate([head[np.lexsort((head, -pool.scores[head]))], order[_MOST_ADJUSTED:]])


def _promote(pool: Pool, head: Places, situation: Situation, admission: Admission) -> None:
    """A product that is part of several promotions is lifted by the first."""
    lifted: list[tuple[str, Promotion]] = []
    for place in head.tolist():
        product = situation.catalogue.get(pool.product_ids[place])
        if product is not None:
            lifted += [(product.product_id, promotion) for promotion in admission.promotions(product)[:1]]
    finds = Finds(
        [product_id for product_id, _ in lifted],
        np.array([promotion.boost for _, promotion in lifted]),
        lambda at: Evidence("promoted", lifted[at][1].name),
    )
    pool.add("promoted", 1.0, finds)


def _bands(situation: Situation) -> dict[int, float]:
    """The customer's price bands by number, with weights that sum to 1."""
    bands: dict[int, float] = {}
    for each in situation.profile.affinities if situation.profile else ():
        low = each.value.partition("-")[0]
        if each.dimension == "price_band" and low.replace(".", "", 1).isdigit():
            bands[price_band(float(low))] = each.weight
    return bands


def _misfits(pool: Pool, places: Places, situation: Situation, bands: dict[int, float]) -> np.ndarray:
    """[places]: 0 in the customer's only band, rising to 1 with distance; 0 for a product without a price."""
    known: dict[int | None, float] = {None: 0.0}
    found = []
    for place in places.tolist():
        product = situation.catalogue.get(pool.product_ids[place])
        band = product.band if product else None
        if band is not None and band not in known:
            known[band] = 1.0 - _fit(band, bands)
        found.append(known[band])
    return np.array(found)


def _fit(band: int, bands: dict[int, float]) -> float:
    """1 in the customer's only band, falling to 0 with distance."""
    return sum(weight * max(0.0, 1.0 - abs(band - own) / _FAR) for own, weight in bands.items())
