"""What answers are made from and by, and how all that is known becomes a situation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, tzinfo

import numpy as np
import structlog

from rapport.events.recommendations import ReasonKind, RecommendationMade
from rapport.ops.errors import RetryableError
from services.recommender.domain import answer
from services.recommender.domain.blend import Blend
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.gaps import FORGOTTEN, gaps
from services.recommender.domain.ranking import FixedWeights, Rankers
from services.recommender.domain.rules import Policy, Wish
from services.recommender.domain.served import served
from services.recommender.domain.situation import Boards, Near, NeedHits, Situation, WishHits
from services.recommender.ports import (
    Clock,
    Graphs,
    Items,
    Memory,
    Recaller,
    Recollection,
    ServedLog,
    Statistics,
    Vectors,
)

log = structlog.stdlib.get_logger(__name__)

# Stands for a customer where nobody is known.
NOBODY = "nobody"

Allowed = Callable[[str], bool] | frozenset[str]


@dataclass(frozen=True, slots=True)
class Answers:
    """What answers are made from and by."""

    catalogues: Catalogues
    items: Items
    memory: Memory
    graphs: Graphs
    statistics: Statistics
    served: ServedLog
    policy: Policy
    clock: Clock
    expires_after: timedelta
    language: str
    """Of the reasons, where neither the caller nor the profile names one."""
    blend: Blend = field(default_factory=Blend)
    rankers: Rankers = field(default_factory=FixedWeights)
    recallers: Sequence[Recaller] = ()
    recall_within_s: float = 0.025
    zone: tzinfo = UTC
    """The shop's time zone."""

    async def situation(
        self, tenant: str, customer_id: str, known: Recollection, boards: Boards, allowed: Allowed, limit: int
    ) -> Situation:
        """All that an answer to this customer can be made from."""
        space, profile, vectors = self.items.space(tenant), known.profile, known.need_vectors
        missing = gaps(customer_id, profile, bool(known.recent), 0 if vectors is None else len(vectors), space, boards)
        usable = profile is not None and vectors is not None and "personalised" not in missing
        needs = profile.needs if profile and usable else ()
        last = await self.items.vectors(tenant, known.recent[:1])
        wishes = known.wishes if known.wish_vectors is not None else ()
        near = await self._near(tenant, known, usable, list(last.values()), limit, allowed)
        after_needs = len(needs) + len(last)
        return replace(
            self._begun(tenant, customer_id, limit),
            profile=profile,
            recent=known.recent,
            needs=tuple(NeedHits(need.label, need.strength, near[at]) for at, need in enumerate(needs)),
            similar=near[len(needs)] if last else None,
            wishes=tuple(WishHits(text, near[after_needs + at]) for at, text in enumerate(wishes)),
            recalled=await self._recalled(tenant, known.recent, limit),
            ties=known.ties,
            boards=boards,
            gaps=missing,
            reactions=known.reactions,
        )

    async def _near(
        self, tenant: str, known: Recollection, usable: bool, last: Sequence[Vectors], limit: int, allowed: Allowed
    ) -> Sequence[Near]:
        """What is near the needs, then near the product looked at last, then near the wishes: in one search."""
        blocks = [known.need_vectors if usable else None, np.stack(last) if last else None, known.wish_vectors]
        queries = [block for block in blocks if block is not None and len(block)]
        return await self.items.near(tenant, np.concatenate(queries), limit, allowed) if queries else []

    async def _recalled(
        self, tenant: str, recent: Sequence[str], limit: int
    ) -> dict[ReasonKind, Sequence[tuple[str, float]]]:
        """What the sources say that have to be asked; those that are late or away are left out."""
        if not self.recallers or not recent:
            return {}
        history = list(reversed(recent))

        async def ask(recaller: Recaller) -> tuple[ReasonKind, Sequence[tuple[str, float]]]:
            try:
                async with asyncio.timeout(self.recall_within_s):
                    return recaller.name, await recaller.recall(tenant, history, limit)
            except (TimeoutError, RetryableError) as error:
                log.debug("a source is left out", source=recaller.name, error=repr(error))
                return recaller.name, ()

        return dict(await asyncio.gather(*map(ask, self.recallers)))

    def forgotten(self, tenant: str, customer_id: str, limit: int) -> Situation:
        """What is left without Redis: the catalogue."""
        return replace(self._begun(tenant, customer_id, limit), gaps=FORGOTTEN)

    def _begun(self, tenant: str, customer_id: str, limit: int) -> Situation:
        now = self.clock()
        local = now.astimezone(self.zone)
        return Situation(
            now_ms=int(now.timestamp() * 1000),
            catalogue=self.catalogues.of(tenant),
            customer_id=customer_id,
            encoder=self.items.space(tenant),
            tenant=tenant,
            fetch=limit,
            graph=self.graphs.of(tenant),
            statistics=self.statistics.of(tenant),
            hour=local.hour,
            weekday=local.weekday(),
        )

    async def answered(self, situation: Situation, wish: Wish) -> answer.Answer:
        """The list for a situation. What is explored follows from the customer and the profile, so that what is pushed
        and what is asked for are the same; for nobody, from the moment."""
        revision = situation.profile.revision if situation.profile else situation.now_ms
        seed = f"{situation.tenant}/{situation.customer_id}/{revision}"
        assignment = self.rankers.of(situation.tenant, situation.customer_id)
        begun = answer.draft(situation, self.spoken(wish, situation), self.policy, self.blend, assignment)
        vectors = (
            await self.items.vectors(situation.tenant, begun.shortlist.product_ids) if self.policy.diversity else {}
        )
        return begun.finished(vectors, seed)

    def spoken(self, wish: Wish, situation: Situation) -> Wish:
        """The wish with a language: the caller's, else the customer's, else the shop's."""
        known = situation.profile.language if situation.profile else None
        return replace(wish, language=wish.language or known or self.language)

    def allowed(self, tenant: str, wish: Wish) -> Callable[[str], bool]:
        """Which products a search may find for this wish."""
        products, category = self.catalogues.of(tenant).products, wish.category

        def test(product_id: str) -> bool:
            product = products.get(product_id)
            return product is not None and product.available and (not category or product.within(category))

        return test

    def made(
        self, found: answer.Answer, situation: Situation, recommendation_id: str, wish: Wish, source: str
    ) -> RecommendationMade:
        """The object that is pushed and answered alike, noted as given."""
        now, profile = self.clock(), situation.profile
        customer_id = situation.customer_id or NOBODY
        self.served.note(situation.tenant, served(found, situation, recommendation_id, customer_id, source))
        shown = found.assignment.shown
        return RecommendationMade(
            recommendation_id=recommendation_id,
            customer_id=customer_id,
            items=answer.items(found.chosen, situation.catalogue, self.spoken(wish, situation).language),
            strategy=found.strategy,
            fallbacks=found.fallbacks,
            profile_revision=profile.revision if profile else 0,
            encoder=situation.encoder,
            created_at=now,
            expires_at=now + self.expires_after,
            trigger_event_id=profile.trigger_event_id if profile else None,
            ranker=shown.name if shown else "",
            experiment_id=found.assignment.experiment,
            variation_id=found.assignment.variation,
        )
