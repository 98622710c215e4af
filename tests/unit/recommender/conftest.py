"""A recommender with fakes at its edges: catalogue, behaviour and profiles in, answers out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from rapport.bus.messages import Message, Outgoing, Position
from rapport.events.base import Event
from rapport.events.catalog import ProductUpserted
from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import RankedItem, RecommendationMade
from rapport.ops.errors import UnavailableError
from rapport.testing import FakeEncoder, MemoryKeyValues, message
from rapport.testing.events import BEGIN
from rapport.vectors.exact import ExactIndex
from rapport.vectors.serving_copy import ServingCopy
from services.recommender.adapters.item_indexes import ItemIndexes
from services.recommender.adapters.redis_pushes import RedisPushes
from services.recommender.adapters.redis_vectors import RedisItemVectors
from services.recommender.domain.blend import SOURCES, Blend
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.counting import SHOPPERS_KEPT, Counted
from services.recommender.domain.decay import add_marks
from services.recommender.domain.graph import NO_GRAPH, ProductGraph
from services.recommender.domain.graph_building import build
from services.recommender.domain.ranking import FixedWeights, Rankers
from services.recommender.domain.reactions import NO_REACTIONS, ItemStatistics, Reactions
from services.recommender.domain.rules import Policy, Wish
from services.recommender.domain.served import Served
from services.recommender.domain.situation import Boards, Tie
from services.recommender.domain.sources.recalled import RecalledSource
from services.recommender.domain.trail import Trail
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
from services.recommender.ports import Known, Recaller, Recollection

TENANT = "default"
WORDS = {
    "shoes": ("trail running shoes", "road running shoes", "racing shoes", "walking shoes", "winter running shoes"),
    "coffee": ("drip coffee maker", "moka coffee pot", "coffee grinder", "espresso coffee machine", "coffee beans"),
    "lamps": ("desk lamp", "floor lamp", "bedside lamp", "garden lamp", "reading lamp"),
}


def product(product_id: str, title: str, shelf: str, **more: Any) -> ProductUpserted:
    """Its category path is Shop > shelf, and its Chinese title ends in 中文."""
    return ProductUpserted.model_validate(
        {
            "product_id": product_id,
            "title": {"en": title, "zh": f"{title}中文"},
            "category": ["Shop", shelf],
            "price": "9.90",
            "currency": "EUR",
            **more,
        }
    )


GOODS = {
    f"{shelf}-{number}": product(f"{shelf}-{number}", title, shelf)
    for shelf, titles in WORDS.items()
    for number, title in enumerate(titles)
}


class MemoryCounts:
    """`Counts` and `Memory` without Redis, by their plain meaning."""

    def __init__(self) -> None:
        self.counted: dict[tuple[str, str, int], int] = {}
        self.reached: dict[tuple[str, int], int] = {}
        self.trails: dict[tuple[str, str], Trail] = {}
        self.boards_of: dict[tuple[str, str], dict[str, float]] = {}
        self.ties: dict[tuple[str, str], dict[str, tuple[float, list[int], list[int]]]] = {}
        self.shoppers: dict[tuple[str, str], dict[str, int]] = {}
        self.reactions: dict[tuple[str, str], Reactions] = {}
        self.wishes: dict[str, tuple[tuple[str, ...], Any]] = {}
        self.clock_ms = 0
        self.profiles: dict[str, tuple[ProfileUpdated, Any]] = {}
        self.failure: UnavailableError | None = None
        self.today = "2026-03-05"
        self.crash_after_add = False

    async def load(
        self, tenant: str, at: Position, customers: Iterable[str]
    ) -> tuple[int, dict[str, Trail], dict[str, Reactions]]:
        self._check()
        wanted = list(customers)
        trails = {customer: self.trails[tenant, customer] for customer in wanted if (tenant, customer) in self.trails}
        known = {who: self.reactions[tenant, who] for who in wanted if (tenant, who) in self.reactions}
        return self.counted.get((tenant, at.topic, at.partition), -1), trails, known

    async def add(self, tenant: str, counted: Counted, after: int, upto: Position) -> bool:
        place = (tenant, upto.topic, upto.partition)
        if self.counted.get(place, -1) != after:
            return False
        for name, marks in counted.boards.items():
            board = self.boards_of.setdefault((tenant, name), {})
            for product_id, mark in marks.items():
                board[product_id] = add_marks(board[product_id], mark) if product_id in board else mark
        for day, products in counted.shoppers.items():
            today = self.shoppers.setdefault((tenant, day), {})
            for product_id, number in products.items():
                today[product_id] = today.get(product_id, 0) + number
        for product_id, pairings in counted.pairings.items():
            ties = self.ties.setdefault((tenant, product_id), {})
            for other, new in pairings.items():
                known = ties.get(other)
                mark = add_marks(known[0], new.mark) if known else new.mark
                looked, bought = (known[1], known[2]) if known else ([], [])
                ties[other] = (mark, _first(looked + new.looked), _first(bought + new.bought))
        self.trails |= {(tenant, customer): trail for customer, trail in counted.trails.items()}
        self.reactions |= {(tenant, customer): known for customer, known in counted.reactions.items()}
        self.clock_ms = max(self.clock_ms, counted.latest_ms)
        self.counted[place] = upto.offset
        if self.crash_after_add:
            raise UnavailableError("the process ended here")
        return True

    async def reach(self, upto: Position) -> None:
        self.reached[upto.topic, upto.partition] = upto.offset

    async def recall(
        self, tenant: str, customers: Mapping[str, Known], space: str | None
    ) -> tuple[dict[str, Recollection], Boards]:
        self._check()
        known = {}
        for customer, at_hand in customers.items():
            profile, vectors = self.profiles.get(customer, (None, None))
            trail = self.trails.get((tenant, customer), Trail())
            recent = list(dict.fromkeys([*at_hand.recent, *trail.recent]))[:5]
            ties = {seed: self.ties_of(tenant, seed) for seed in recent}
            usable = vectors if profile and profile.encoder == space else None
            newer = profile if profile and profile.revision > at_hand.revision else None
            reactions = self.reactions.get((tenant, customer), NO_REACTIONS)
            wishes, wished = self.wishes.get(customer, ((), None))
            known[customer] = Recollection(newer, usable, recent, ties, reactions, wishes, wished)
        return known, await self.boards(tenant)

    async def tied(self, tenant: str, product_id: str) -> tuple[Sequence[Tie], Boards]:
        self._check()
        return self.ties_of(tenant, product_id), await self.boards(tenant)

    async def boards(self, tenant: str) -> Boards:
        self._check()
        trending, popular = (
            sorted(self.boards_of.get((tenant, name), {}).items(), key=lambda pair: -pair[1])
            for name in ("trending", "popular")
        )
        return Boards(trending, popular, self.shoppers.get((tenant, self.today), {}), self.clock_ms)

    def ties_of(self, tenant: str, product_id: str) -> list[Tie]:
        ties = self.ties.get((tenant, product_id), {})
        return [Tie(other, mark, tuple(looked), tuple(bought)) for other, (mark, looked, bought) in ties.items()]

    def _check(self) -> None:
        if self.failure:
            raise self.failure


def _first(shoppers: list[int]) -> list[int]:
    return list(dict.fromkeys(shoppers))[:SHOPPERS_KEPT]


class MemoryArrivals:
    """`Arrivals`; products of `new` arrived just then, all others on the first day."""

    def __init__(self) -> None:
        self.new: set[str] = set()
        self.failure: UnavailableError | None = None

    async def note(self, tenant: str, seen_ms: Mapping[str, int]) -> dict[str, int | None]:
        if self.failure:
            raise self.failure
        return {product_id: at if product_id in self.new else None for product_id, at in seen_ms.items()}

    async def forget(self, tenant: str, product_ids: Sequence[str]) -> None:
        self.new -= set(product_ids)


class MemoryServed:
    """`ServedLog`."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Served] = {}

    def note(self, tenant: str, answer: Served) -> None:
        self.answers[tenant, answer.recommendation_id] = Served.decode(answer.encode())

    async def find(self, tenant: str, recommendation_ids: Sequence[str]) -> Mapping[str, Served]:
        return {id_: self.answers[tenant, id_] for id_ in recommendation_ids if (tenant, id_) in self.answers}


class Pictures:
    """`Graphs` and `Statistics`, made when a test says so."""

    def __init__(self) -> None:
        self.graph, self.statistics = NO_GRAPH, ItemStatistics()


class Graphs:
    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def of(self, _tenant: str) -> ProductGraph:
        return self._pictures.graph


class Statistics:
    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def of(self, _tenant: str) -> ItemStatistics:
        return self._pictures.statistics


class Waiting:
    """`Indexing` that a test works off when it likes."""

    def __init__(self) -> None:
        self.ids: dict[str, dict[str, None]] = {}

    def add(self, tenant: str, product_ids: Iterable[str]) -> None:
        self.ids.setdefault(tenant, {}).update(dict.fromkeys(product_ids))

    def waiting(self, tenant: str) -> bool:
        return bool(self.ids.get(tenant))


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
        self.pictures, self.served = Pictures(), MemoryServed()
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
        return list(await behaviours_seen(messages, counts=self.counts, served=self.served, day_of=day_of))

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
        return list(await profiles_updated(batch, answers=self.answers, pushes=self.pushes, limit=10))

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


def profile(
    customer: str, needs: Sequence[str] = (), *, revision: int = 1, at: datetime = BEGIN, **more: Any
) -> ProfileUpdated:
    """`needs`: labels, the first twice as strong as the next."""
    weights = [2.0**-number for number in range(len(needs))]
    parts = [
        {
            "label": label,
            "strength": weight / sum(weights),
            "half_life_hours": 168,
            "evidence": ["e1"],
            "updated_at": at,
        }
        for label, weight in zip(needs, weights, strict=True)
    ]
    session = {
        "session_id": "s1",
        "started_at": at,
        "last_event_at": at,
        "event_count": 1,
        "funnel_stage": "browse",
        "session_count": 1,
    }
    return ProfileUpdated.model_validate(
        {
            "customer_id": customer,
            "revision": revision,
            "first_seen_at": at,
            "last_seen_at": at,
            "event_count": revision,
            "needs": parts,
            "session": session,
            "trigger_event_id": f"event-{revision}",
            **more,
        }
    )


def day_of(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, BEGIN.tzinfo).date().isoformat()


def ids(made: RecommendationMade | Sequence[RankedItem]) -> list[str]:
    return [item.product_id for item in (made.items if isinstance(made, RecommendationMade) else made)]


def texts(made: RecommendationMade | Sequence[RankedItem], product_id: str) -> list[str]:
    """The reasons given for a product."""
    items = made.items if isinstance(made, RecommendationMade) else made
    return next([reason.text for reason in item.reasons] for item in items if item.product_id == product_id)


@pytest.fixture
async def shop() -> Shop:
    """Fifteen products in three categories, indexed; nobody has been there yet."""
    opened = Shop()
    await opened.stock(*GOODS.values())
    return opened
