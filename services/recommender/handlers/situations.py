"""What answers are made from and by, and how all that is known becomes a situation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, tzinfo

import numpy as np
import structlog

from rapport.events.recommendations import ReasonKind, RecommendationMade
from rapport.ops.errors import RetryableError
from services.recommender.domain import answer
from services.recommender.domain.blend import Blend
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.gaps import FORGOTTEN
from services.recommender.domain.ranking import FixedWeights, Rankers
from services.recommender.domain.rules import Policy, Wish
from services.recommender.domain.served import served
from services.recommender.domain.situation import Boards, NeedHits, Situation, WishHits
from services.recommender.handlers.plans import Plan
from services.recommender.ports import (
    Allowed,
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

# Customers in one pass, and products times customers: some five milliseconds of searching.
_MOST_AT_ONCE, _SCORED_AT_ONCE = 32, 400_000

Recalled = Mapping[ReasonKind, Sequence[tuple[str, float]]]
"""By source that had to be asked."""


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

    async def situations(
        self, tenant: str, asked: Sequence[tuple[str, Recollection]], boards: Boards, allowed: Allowed, limit: int
    ) -> list[Situation]:
        """All that answers to these customers, by id with what is known of each, can be made from. One search, and one
        question to each recaller, for all."""
        space = self.items.space(tenant)
        seen = dict.fromkeys(product_id for _, known in asked for product_id in known.recent[:1])
        vectors = await self.items.vectors(tenant, list(seen))
        plans = [Plan.of(customer_id, known, vectors, space, boards) for customer_id, known in asked]
        queries = [block for plan in plans for block in plan.queries]
        near = await self.items.near(tenant, np.concatenate(queries), limit, allowed) if queries else []
        recalled = await self._recalled(tenant, [known.recent for _, known in asked], limit)
        begun, found = self._begun(tenant, limit), iter(near)
        situations = []
        for plan, said in zip(plans, recalled, strict=True):
            known = plan.known
            # In the order of the plan's queries.
            needs = tuple(NeedHits(need.label, need.strength, next(found)) for need in plan.needs)
            similar = next(found) if plan.last is not None else None
            wishes = tuple(WishHits(text, next(found)) for text in plan.wishes)
            situations.append(
                replace(
                    begun, customer_id=plan.customer_id, profile=known.profile, recent=known.recent, needs=needs,
                    similar=similar, wishes=wishes, recalled=said, ties=known.ties, boards=boards, gaps=plan.missing,
                    reactions=known.reactions,
                )
            )  # fmt: skip
        return situations

    async def _recalled(self, tenant: str, recents: Sequence[Sequence[str]], limit: int) -> Sequence[Recalled]:
        """By customer, what the sources say that have to be asked; those that are late or away are left out."""
        found: list[dict[ReasonKind, Sequence[tuple[str, float]]]] = [{} for _ in recents]
        histories = {at: list(reversed(recent)) for at, recent in enumerate(recents) if recent}
        if not self.recallers or not histories:
            return found

        async def ask(recaller: Recaller) -> None:
            try:
                async with asyncio.timeout(self.recall_within_s):
                    answered = await recaller.recall(tenant, list(histories.values()), limit)
            except (TimeoutError, RetryableError) as error:
                log.debug("a source is left out", source=recaller.name, error=repr(error))
                return
            for at, said in zip(histories, answered, strict=True):
                found[at][recaller.name] = said

        await asyncio.gather(*map(ask, self.recallers))
        return found

    def at_once(self, tenant: str) -> int:
        """Customers to be answered in one pass: many share the search of a small catalogue; in a large one each more
        takes a millisecond from the calls that wait meanwhile."""
        return max(1, min(_MOST_AT_ONCE, _SCORED_AT_ONCE // (len(self.catalogues.of(tenant).products) + 1)))

    def forgotten(self, tenant: str, customer_id: str, limit: int) -> Situation:
        """What is left without Redis: the catalogue."""
        return replace(self._begun(tenant, limit), customer_id=customer_id, gaps=FORGOTTEN)

    def _begun(self, tenant: str, limit: int) -> Situation:
        """What is the same for all customers."""
        now = self.clock()
        local = now.astimezone(self.zone)
        return Situation(
            now_ms=int(now.timestamp() * 1000),
            catalogue=self.catalogues.of(tenant),
            encoder=self.items.space(tenant),
            tenant=tenant,
            fetch=limit,
            graph=self.graphs.of(tenant),
            statistics=self.statistics.of(tenant),
            hour=local.hour,
            weekday=local.weekday(),
        )

    async def answered(self, situations: Sequence[Situation], wish: Wish) -> list[answer.Answer]:
        """The lists for situations of one tenant. What is explored follows from the customer and the profile, so that
        what is pushed and what is asked for are the same; for nobody, from the moment."""
        asked = [(each, self.spoken(wish, each), self.rankers.of(each.tenant, each.customer_id)) for each in situations]
        begun = answer.drafts(asked, self.policy, self.blend)
        vectors: Mapping[str, Vectors] = {}
        if self.policy.diversity and situations:
            wanted = dict.fromkeys(product_id for draft in begun for product_id in draft.shortlist.product_ids)
            vectors = await self.items.vectors(situations[0].tenant, list(wanted))
        return [draft.finished(vectors, _seed(each)) for draft, each in zip(begun, situations, strict=True)]

    def spoken(self, wish: Wish, situation: Situation) -> Wish:
        """The wish with a language: the caller's, else the customer's, else the shop's."""
        known = situation.profile.language if situation.profile else None
        return replace(wish, language=wish.language or known or self.language)

    def allowed(self, tenant: str, wish: Wish) -> Allowed:
        """Which products a search may find for this wish."""
        catalogue, category = self.catalogues.of(tenant), wish.category
        available = catalogue.available
        if not category:
            return available

        def test(product_id: str) -> bool:
            product = catalogue.get(product_id)
            return product is not None and product.available and product.within(category)

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


def _seed(situation: Situation) -> str:
    revision = situation.profile.revision if situation.profile else situation.now_ms
    return f"{situation.tenant}/{situation.customer_id}/{revision}"
