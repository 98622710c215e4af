"""Answers: what to show a customer, in which order, what resembles a product, what is trending."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import structlog

from rapport.events.recommendations import RankedItem, RecommendationMade
from rapport.ops.errors import NotFound, RetryableError
from services.recommender.domain import answer
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.gaps import FORGOTTEN, gaps
from services.recommender.domain.rules import Policy, Wish
from services.recommender.domain.situation import Boards, NeedHits, Situation
from services.recommender.ports import Clock, Items, Memory, Recollection

log = structlog.stdlib.get_logger(__name__)

# Products fetched for each need and for the product looked at last: some were looked at or bought, and no category may
# fill the list.
_FETCHED, _FEWEST_FETCHED = 3, 50

# Stands for a customer where nobody is known.
NOBODY = "nobody"

Allowed = Callable[[str], bool] | frozenset[str]


@dataclass(frozen=True, slots=True)
class Ask:
    """A customer asks, or is asked about."""

    tenant: str
    customer_id: str
    """Empty: nobody is known."""
    wish: Wish


@dataclass(frozen=True, slots=True)
class Answers:
    """What answers are made from and by."""

    catalogues: Catalogues
    items: Items
    memory: Memory
    policy: Policy
    clock: Clock
    expires_after: timedelta
    language: str
    """Of the reasons, where neither the caller nor the profile names one."""

    async def situation(
        self, tenant: str, customer_id: str, known: Recollection, boards: Boards, allowed: Allowed, limit: int
    ) -> Situation:
        """All that an answer to this customer can be made from."""
        space, profile, vectors = self.items.space(tenant), known.profile, known.need_vectors
        missing = gaps(customer_id, profile, bool(known.recent), 0 if vectors is None else len(vectors), space, boards)
        usable = profile is not None and vectors is not None and "personalised" not in missing
        needs = profile.needs if profile and usable else ()
        queries = [] if vectors is None or not usable else list(vectors)
        last = await self.items.vector(tenant, known.recent[0]) if known.recent else None
        if last is not None:
            queries.append(last)
        near = await self.items.near(tenant, np.stack(queries), limit, allowed) if queries else []
        return Situation(
            now_ms=int(self.clock().timestamp() * 1000),
            catalogue=self.catalogues.of(tenant),
            customer_id=customer_id,
            profile=profile,
            recent=known.recent,
            needs=tuple(NeedHits(need.label, need.strength, near[at]) for at, need in enumerate(needs)),
            similar=near[-1] if last is not None else None,
            ties=known.ties,
            boards=boards,
            gaps=missing,
            encoder=space,
        )

    def forgotten(self, tenant: str, customer_id: str) -> Situation:
        """What is left without Redis: the catalogue."""
        now_ms = int(self.clock().timestamp() * 1000)
        catalogue, space = self.catalogues.of(tenant), self.items.space(tenant)
        return Situation(now_ms, catalogue, customer_id, gaps=FORGOTTEN, encoder=space)

    def spoken(self, wish: Wish, situation: Situation) -> Wish:
        """The wish with a language: the caller's, else the customer's, else the shop's."""
        known = situation.profile.language if situation.profile else None
        return replace(wish, language=wish.language or known or self.language)

    def allowed(self, tenant: str, wish: Wish) -> Callable[[str], bool]:
        """Which products a search may find for this wish."""
        catalogue, category = self.catalogues.of(tenant), wish.category

        def test(product_id: str) -> bool:
            product = catalogue.get(product_id)
            return product is not None and product.available and (not category or product.within(category))

        return test

    def made(self, found: answer.Answer, situation: Situation, recommendation_id: str) -> RecommendationMade:
        """The object that is pushed and answered alike."""
        now, profile = self.clock(), situation.profile
        return RecommendationMade(
            recommendation_id=recommendation_id,
            customer_id=situation.customer_id or NOBODY,
            items=found.items,
            strategy=found.strategy,
            fallbacks=found.fallbacks,
            profile_revision=profile.revision if profile else 0,
            encoder=situation.encoder,
            created_at=now,
            expires_at=now + self.expires_after,
            trigger_event_id=profile.trigger_event_id if profile else None,
        )


async def recommend(ask: Ask, answers: Answers) -> RecommendationMade:
    """What to show this customer now. Never empty for a stocked shop, whatever does not work."""
    allowed = answers.allowed(ask.tenant, ask.wish)
    situation = await _situation(ask.tenant, ask.customer_id, answers, allowed, fetched(ask.wish.limit))
    found = answer.recommend(situation, answers.spoken(ask.wish, situation), answers.policy)
    return _unnamed(ask.tenant, found, situation, answers)


async def rank(
    tenant: str, customer_id: str, product_ids: Sequence[str], language: str, answers: Answers
) -> tuple[RecommendationMade, list[str]]:
    """The caller's products in order for this customer, and those of them that are not in the catalogue."""
    catalogue = answers.catalogues.of(tenant)
    known = [product_id for product_id in product_ids if catalogue.get(product_id)]
    situation = await _situation(tenant, customer_id, answers, frozenset(known), max(1, len(known)))
    wish = answers.spoken(Wish(len(known), language=language), situation)
    made = _unnamed(tenant, answer.rank(situation, known, wish.language), situation, answers)
    return made, [product_id for product_id in dict.fromkeys(product_ids) if not catalogue.get(product_id)]


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
    vector = await answers.items.vector(tenant, product_id)
    allowed = answers.allowed(tenant, Wish(limit))
    near = [] if vector is None else await answers.items.near(tenant, vector[None], limit + 1, allowed)
    situation = Situation(0, catalogue, similar=near[0] if near else None, ties={product_id: ties}, boards=boards)
    return answer.similar(product, situation, limit, answers.language)


async def trending(tenant: str, limit: int, category: str, answers: Answers) -> Sequence[RankedItem]:
    """What is trending, the hottest first; empty when nothing is. Raises `UnavailableError` when Redis is."""
    boards = await answers.memory.boards(tenant)
    now_ms = int(answers.clock().timestamp() * 1000)
    situation = Situation(now_ms, answers.catalogues.of(tenant), boards=boards)
    return answer.trending(situation, limit, category, answers.language)


def fetched(limit: int) -> int:
    """How many of the nearest products an answer of `limit` items looks at, for each need."""
    return max(_FEWEST_FETCHED, _FETCHED * limit)


def name_of(*parts: object) -> str:
    """An id that the same parts always give."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).hexdigest()


async def _situation(tenant: str, customer_id: str, answers: Answers, allowed: Allowed, limit: int) -> Situation:
    asked: dict[str, Sequence[str]] = {customer_id: ()} if customer_id else {}
    try:
        known, boards = await answers.memory.recall(tenant, asked, answers.items.space(tenant))
    except RetryableError as error:
        log.warning("answering from the catalogue alone", tenant=tenant, error=str(error))
        return answers.forgotten(tenant, customer_id)
    return await answers.situation(tenant, customer_id, known.get(customer_id, Recollection()), boards, allowed, limit)


def _unnamed(tenant: str, found: answer.Answer, situation: Situation, answers: Answers) -> RecommendationMade:
    """An answer to a call is named by what it holds and when: impressions of it are told from those of another."""
    shown = [item.product_id for item in found.items]
    recommendation_id = name_of("asked", tenant, situation.customer_id, situation.now_ms, found.strategy, *shown)
    return answers.made(found, situation, recommendation_id)
