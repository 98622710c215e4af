"""Answers: what to show a customer, in which order, what resembles a product, what is trending."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from rapport.events.recommendations import RankedItem, RecommendationMade
from rapport.ops.errors import NotFound, RetryableError
from services.recommender.domain import answer
from services.recommender.domain.features import FEATURES
from services.recommender.domain.rules import Wish
from services.recommender.domain.situation import Boards, Situation
from services.recommender.handlers.situations import Answers
from services.recommender.ports import Allowed, Known, Recollection

log = structlog.stdlib.get_logger(__name__)

# Products fetched for each need and for the product looked at last: some were looked at or bought, and no category may
# fill the list.
_FETCHED, _FEWEST_FETCHED = 3, 50

Explained = Mapping[str, Mapping[str, float]]
"""By product, the value of each feature."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A customer asks, or is asked about."""

    tenant: str
    customer_id: str
    """Empty: nobody is known."""
    wish: Wish


@dataclass(frozen=True, slots=True)
class Told:
    """An answer to a call."""

    made: RecommendationMade
    situation: Situation
    answer: answer.Answer

    def explained(self) -> Explained:
        """What the ranker is given of each item."""
        matrix = self.answer.features(self.situation)
        rows = zip(self.answer.product_ids, matrix.tolist(), strict=True)
        return {product_id: dict(zip(FEATURES, row, strict=True)) for product_id, row in rows}


async def recommend(ask: Ask, answers: Answers) -> Told:
    """What to show this customer now. Never empty for a stocked shop, whatever does not work."""
    allowed = answers.allowed(ask.tenant, ask.wish)
    situation = await _situation(ask.tenant, ask.customer_id, answers, allowed, fetched(ask.wish.limit))
    (found,) = await answers.answered([situation], ask.wish)
    return _told(found, situation, ask.wish, answers)


async def rank(
    tenant: str, customer_id: str, product_ids: Sequence[str], language: str, answers: Answers
) -> tuple[Told, list[str]]:
    """The caller's products in order for this customer, and those of them that are not in the catalogue."""
    catalogue = answers.catalogues.of(tenant)
    known = [product_id for product_id in product_ids if catalogue.get(product_id)]
    situation = await _situation(tenant, customer_id, answers, frozenset(known), max(1, len(known)))
    found = answer.rank(situation, known, answers.blend, answers.rankers.of(tenant, customer_id))
    told = _told(found, situation, Wish(len(known), language=language), answers)
    return told, [product_id for product_id in dict.fromkeys(product_ids) if not catalogue.get(product_id)]


async def similar(tenant: str, product_id: str, limit: int, answers: Answers) -> Sequence[RankedItem]:
    """What resembles a product or goes with it. Raises `NotFound` for one that is not in the catalogue."""
    catalogue = answers.catalogues.of(tenant)
    product = catalogue.get(product_id)
    if product is None:
        raise NotFound(f"{product_id!r} is not in the catalogue", field="product_id")
    try:
        ties, boards = await answers.memory.tied(tenant, product_id)
    except RetryableError:
        ties, boards = (), Boards()
    vectors = await answers.items.vectors(tenant, [product_id])
    allowed = answers.allowed(tenant, Wish(limit))
    near = [await answers.items.near(tenant, vector[None], limit + 1, allowed) for vector in vectors.values()]
    found = near[0][0] if near else None
    situation = Situation(0, catalogue, similar=found, ties={product_id: ties}, boards=boards)
    return answer.similar(product, situation, limit, answers.language, answers.blend)


async def trending(tenant: str, limit: int, category: str, answers: Answers) -> Sequence[RankedItem]:
    """What is trending, the hottest first; empty when nothing is. Raises `UnavailableError` when Redis is."""
    boards = await answers.memory.boards(tenant)
    now_ms = int(answers.clock().timestamp() * 1000)
    situation = Situation(now_ms, answers.catalogues.of(tenant), boards=boards)
    return answer.trending(situation, limit, category, answers.language, answers.blend)


def fetched(limit: int) -> int:
    """How many of the nearest products an answer of `limit` items looks at, for each need."""
    return max(_FEWEST_FETCHED, _FETCHED * limit)


def name_of(*parts: object) -> str:
    """An id that the same parts always give."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).hexdigest()


async def _situation(tenant: str, customer_id: str, answers: Answers, allowed: Allowed, limit: int) -> Situation:
    asked, space = ({customer_id: Known()} if customer_id else {}), answers.items.space(tenant)
    try:
        known, boards = await answers.memory.recall(tenant, asked, space)
        profile = known[customer_id].profile if customer_id in known else None
        if profile and profile.merged_into:
            # A page that still has the old id. The one case of a second round trip.
            customer_id = profile.merged_into
            known, boards = await answers.memory.recall(tenant, {customer_id: Known()}, space)
    except RetryableError as error:
        log.warning("answering from the catalogue alone", tenant=tenant, error=str(error))
        return answers.forgotten(tenant, customer_id, limit)
    asked_about = [(customer_id, known.get(customer_id, Recollection()))]
    return (await answers.situations(tenant, asked_about, boards, allowed, limit))[0]


def _told(found: answer.Answer, situation: Situation, wish: Wish, answers: Answers) -> Told:
    """An answer to a call is named by what it holds and when: impressions of it are told from those of another."""
    named = name_of(
        "asked", situation.tenant, situation.customer_id, situation.now_ms, found.strategy, *found.product_ids
    )
    return Told(answers.made(found, situation, named, wish, "pull"), situation, found)
