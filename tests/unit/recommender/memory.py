"""What the recommender's ports are without servers, by their plain meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

from rapport.bus.messages import Position
from rapport.events.profiles import ProfileUpdated
from rapport.ops.errors import UnavailableError
from services.recommender.domain.counting import SHOPPERS_KEPT, Counted
from services.recommender.domain.decay import add_marks
from services.recommender.domain.graph import NO_GRAPH, ProductGraph
from services.recommender.domain.reactions import NO_REACTIONS, ItemStatistics, Reactions
from services.recommender.domain.served import Served
from services.recommender.domain.situation import Boards, Tie
from services.recommender.domain.trail import Trail
from services.recommender.ports import Known, Recollection


class MemoryCounts:
    """`Counts`, `Memory` and `Merges`."""

    def __init__(self) -> None:
        self.counted: dict[tuple[str, str, int], int] = {}
        self.reached: dict[tuple[str, int], int] = {}
        self.trails: dict[tuple[str, str], Trail] = {}
        self.boards_of: dict[tuple[str, str], dict[str, float]] = {}
        self.ties: dict[tuple[str, str], dict[str, tuple[float, list[int], list[int]]]] = {}
        self.shoppers: dict[tuple[str, str], dict[str, int]] = {}
        self.reactions: dict[tuple[str, str], Reactions] = {}
        self.merged: dict[tuple[str, str], Sequence[str]] = {}
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
            names = [customer, *sorted(self.merged.get((tenant, customer), ()))]
            looks = [seen for name in names for seen in self.trails.get((tenant, name), Trail()).recent]
            recent = list(dict.fromkeys([*at_hand.recent, *looks]))[:5]
            ties = {seed: self.ties_of(tenant, seed) for seed in recent}
            usable = vectors if profile and profile.encoder == space else None
            newer = profile if profile and profile.revision > at_hand.revision else None
            reactions = reduce(Reactions.merged, [self.reactions.get((tenant, each), NO_REACTIONS) for each in names])
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

    async def note(self, tenant: str, merged: Mapping[str, Sequence[str]]) -> None:
        self.merged |= {(tenant, customer): list(ids) for customer, ids in merged.items()}

    async def forget(self, tenant: str, customers: Sequence[str]) -> None:
        for customer in customers:
            self.merged.pop((tenant, customer), None)

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


class MemoryOrders:
    """`Orders`."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str], Sequence[str]] = {}

    async def keep(self, tenant: str, lines: Mapping[str, Sequence[str]]) -> None:
        self.lines |= {(tenant, order_id): product_ids for order_id, product_ids in lines.items()}

    async def find(self, tenant: str, order_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return {id_: self.lines[tenant, id_] for id_ in order_ids if (tenant, id_) in self.lines}


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
