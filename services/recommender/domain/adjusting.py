"""What moves a score after it was made: promotions, the customer's price bands, and what they are tired of."""

from __future__ import annotations

from collections.abc import Sequence

from services.recommender.domain.blend import Candidate, ordered
from services.recommender.domain.products import price_band
from services.recommender.domain.rules import Admission, Policy
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.source import Evidence, Found

# Candidates that are looked at: what is behind them would need more than any promotion gives.
_MOST_ADJUSTED = 300
# What was shown without a click loses this share of its score each time: after five times a third is left.
_TIRED = 0.2
# Bands of distance from which a product has nothing of the customer's bands: two are a factor of five in price.
_FAR = 2.0


def adjusted(
    candidates: Sequence[Candidate], situation: Situation, admission: Admission, policy: Policy
) -> list[Candidate]:
    """The candidates with their scores moved, in order again."""
    bands = _bands(situation) if policy.price_fit else {}
    head = candidates[:_MOST_ADJUSTED]
    for candidate in head:
        product = situation.catalogue.get(candidate.product_id)
        if product is None:
            continue
        if bands and product.price is not None:
            candidate.score *= 1.0 - policy.price_fit * (1.0 - _fit(price_band(product.price), bands))
        unclicked = situation.reactions.unclicked(candidate.product_id, situation.now_ms)
        candidate.score *= (1.0 - _TIRED) ** unclicked
        for promotion in admission.promotions(product):
            if "promoted" not in candidate.found:
                candidate.add(Found(candidate.product_id, promotion.boost, Evidence("promoted", promotion.name)), 1.0)
    return [*ordered(head), *candidates[_MOST_ADJUSTED:]]


def _bands(situation: Situation) -> dict[int, float]:
    """The customer's price bands by number, with weights that sum to 1."""
    bands: dict[int, float] = {}
    for each in situation.profile.affinities if situation.profile else ():
        low = each.value.partition("-")[0]
        if each.dimension == "price_band" and low.replace(".", "", 1).isdigit():
            bands[price_band(float(low))] = each.weight
    return bands


def _fit(band: int, bands: dict[int, float]) -> float:
    """1 in the customer's only band, falling to 0 with distance."""
    return sum(weight * max(0.0, 1.0 - abs(band - own) / _FAR) for own, weight in bands.items())
