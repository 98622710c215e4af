"""A recommender with fakes at its edges: catalogue, behaviour and profiles in, answers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from rapport.bus.messages import Message, Outgoing
from rapport.events.base import Event
from rapport.events.catalog import ProductUpserted
from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import RankedItem, RecommendationMade
from rapport.testing import FakeEncoder, MemoryKeyValues, message
from rapport.testing.events import BEGIN
from rapport.vectors.exact import ExactIndex
from rapport.vectors.serving_copy import ServingCopy
from services.recommender.adapters.item_indexes import ItemIndexes
from services.recommender.adapters.redis_pushes import RedisPushes
from services.recommender.adapters.redis_vectors import RedisItemVectors
from services.recommender.domain.blend import SOURCES, Blend
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.graph_building import build
from services.recommender.domain.ranking import FixedWeights, Rankers
from services.recommender.domain.rules import Policy, Wish
from services.recommender.domain.sources.recalled import RecalledSource
from services.recommender.handlers import (
    Answers,
    Ask,
    behaviours_seen,
    catalogue_changed,
    check_encoder,
    index_products,
    profiles_updated,
    rank,
    recommend,
)
from services.recommender.ports import Recaller
from tests.unit.recommender.goods import profile
from tests.unit.recommender.memory import (
    Graphs,
    MemoryArrivals,
    MemoryCounts,
    MemoryOrders,
    MemoryServed,
    Pictures,
    Statistics,
    Waiting,
)

TENANT = "default"


class Shop:
    """One recommender. The clock stands still until a test moves it."""

    def __init__(
        self, policy: Policy | None = None, rankers: Rankers | None = None, recallers: Sequence[Recaller] = ()
    ) -> None:
        self.now = BEGIN
        self.encoder, self.redis, self.indexing = FakeEncoder(), MemoryKeyValues(), Waiting()
        self.catalogues, self.vectors = Catalogues(), RedisItemVectors(self.redis)
        self.items, self.counts, self.arrivals = (
            ItemIndexes(lambda _tenant, _space: ExactIndex()),
            MemoryCounts(),
            MemoryArrivals(),
        )
        self.pushes = RedisPushes(ServingCopy(self.redis))
        self.pictures, self.served, self.orders = Pictures(), MemoryServed(), MemoryOrders()
        asked = [RecalledSource(recaller.name, "personalised") for recaller in recallers]
        self.answers = Answers(
            catalogues=self.catalogues,
            items=self.items,
            memory=self.counts,
            graphs=Graphs(self.pictures),
            statistics=Statistics(self.pictures),
            served=self.served,
            policy=policy or Policy(),
            clock=lambda: self.now,
            expires_after=timedelta(hours=6),
            language="en",
            blend=Blend((*SOURCES, *asked)),
            rankers=rankers or FixedWeights(),
            recallers=recallers,
        )
        self._offset = 0

    async def stock(self, *products: ProductUpserted, index: bool = True) -> None:
        await self.take_products(*(message(product, self._next(), at=self.now) for product in products))
        if index:
            await self.index()

    async def delist(self, *product_ids: str) -> None:
        await self.take_products(*(message(None, self._next(), key=id_, topic="catalog.v1") for id_ in product_ids))

    async def index(self, at_once: int = 64, batches: int = 1000) -> None:
        """Works off what waits."""
        while (ids := list(self.indexing.ids.get(TENANT, ()))) and batches:
            batches -= 1
            for id_ in ids[:at_once]:
                del self.indexing.ids[TENANT][id_]
            await index_products(
                TENANT,
                ids[:at_once],
                catalogues=self.catalogues,
                items=self.items,
                vectors=self.vectors,
                encoder=self.encoder,
                indexing=self.indexing,
            )

    async def check_encoder(self) -> None:
        await check_encoder(catalogues=self.catalogues, items=self.items, encoder=self.encoder, indexing=self.indexing)

    async def behave(self, *events: Event, after: timedelta = timedelta(seconds=1)) -> list[Outgoing]:
        """The events happen one after the other, by default within a visit; what was published of them."""
        messages = []
        for event in events:
            self.now += after
            messages.append(message(event, self._next(), at=self.now))
        return list(
            await behaviours_seen(messages, counts=self.counts, served=self.served, orders=self.orders, day_of=day_of)
        )

    def draw_graph(self) -> None:
        """The product graph from the catalogue and the ties so far."""
        ties = {
            product_id: self.counts.ties_of(TENANT, product_id)
            for tenant, product_id in self.counts.ties
            if tenant == TENANT
        }
        products = self.catalogues.of(TENANT).products.values()
        self.pictures.graph = build(products, ties, self.counts.clock_ms)

    async def profile(self, customer: str, needs: Mapping[str, str], **more: Any) -> ProfileUpdated:
        """A profile in Redis as the profiler writes it. `needs`: label and the text of its vector, strongest first."""
        made = profile(customer, list(needs), encoder=self.encoder.model, **more)
        vectors = np.stack([self.encoder.vector(text) for text in needs.values()]) if needs else None
        self.counts.profiles[customer] = (made, vectors)
        return made

    async def push(
        self, *profiles: ProfileUpdated | None, first_offset: int | None = None, key: str = ""
    ) -> list[Outgoing]:
        """Profiles come in as one batch; None is a tombstone of `key`."""
        first = self._next() if first_offset is None else first_offset
        batch = [
            message(each, first + number, key=key or None, topic="profiles.v1") for number, each in enumerate(profiles)
        ]
        self._offset = max(self._offset, first + len(profiles))
        return await self.take(*batch)

    async def take(self, *batch: Message) -> list[Outgoing]:
        """Messages of `profiles.v1` as they came."""
        return list(
            await profiles_updated(batch, answers=self.answers, pushes=self.pushes, merges=self.counts, items=10)
        )

    async def recommend(self, customer: str = "", limit: int = 10, **wish: Any) -> RecommendationMade:
        return (await recommend(Ask(TENANT, customer, Wish(limit, **wish)), self.answers)).made

    async def rank(self, customer: str, *product_ids: str, language: str = "") -> tuple[RecommendationMade, list[str]]:
        told, unknown = await rank(TENANT, customer, product_ids, language, self.answers)
        return told.made, unknown

    async def take_products(self, *messages: Message) -> None:
        await catalogue_changed(
            messages,
            catalogues=self.catalogues,
            items=self.items,
            vectors=self.vectors,
            arrivals=self.arrivals,
            indexing=self.indexing,
        )

    def _next(self) -> int:
        self._offset += 1
        return self._offset


def day_of(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, BEGIN.tzinfo).date().isoformat()


def ids(made: RecommendationMade | Sequence[RankedItem]) -> list[str]:
    return [item.product_id for item in (made.items if isinstance(made, RecommendationMade) else made)]


def texts(made: RecommendationMade | Sequence[RankedItem], product_id: str) -> list[str]:
    """The reasons given for a product."""
    items = made.items if isinstance(made, RecommendationMade) else made
    return next([reason.text for reason in item.reasons] for item in items if item.product_id == product_id)
