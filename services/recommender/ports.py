"""What the handlers need from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rapport.bus.messages import Position
from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import ReasonKind
from rapport.ops.parts import Part
from rapport.serving.client import Embedded, Priority, Role
from services.recommender.domain.counting import Counted
from services.recommender.domain.graph import ProductGraph
from services.recommender.domain.products import Product
from services.recommender.domain.ranking import FixedWeights, Rankers
from services.recommender.domain.reactions import NO_REACTIONS, ItemStatistics, Reactions
from services.recommender.domain.served import Served
from services.recommender.domain.situation import Boards, Near, Tie
from services.recommender.domain.sources.source import Source
from services.recommender.domain.trail import Trail

Vectors = npt.NDArray[np.float32]
Clock = Callable[[], datetime]
Allowed = AbstractSet[str] | Callable[[str], bool]
"""Which products may be found: their ids, or a quick test."""


class Arrivals(Protocol):
    """When each product was first seen."""

    async def note(self, tenant: str, seen_ms: Mapping[str, int]) -> dict[str, int | None]:
        """When each of the products arrived; None for those of the shop's first day. `seen_ms` counts for those not
        seen before."""

    async def forget(self, tenant: str, product_ids: Sequence[str]) -> None: ...


class Indexing(Protocol):
    """Products whose text is to be embedded, in the background."""

    def add(self, tenant: str, product_ids: Iterable[str]) -> None: ...

    def waiting(self, tenant: str) -> bool:
        """Whether there are any, those being worked on left aside."""


class Items(Protocol):
    """Item vectors that can be searched, by tenant, each of one space (`encoder@revision`)."""

    def space(self, tenant: str) -> str | None:
        """The space that is searched; None while nothing is indexed."""

    async def near(self, tenant: str, queries: Vectors, limit: int, allowed: Allowed) -> list[Near]:
        """What is nearest to each of [queries, d], vectors of `space`."""

    async def vectors(self, tenant: str, product_ids: Sequence[str]) -> Mapping[str, Vectors]:
        """The unit vectors [d] of those of the products that are indexed."""

    async def remove(self, tenant: str, product_ids: Sequence[str]) -> None:
        """From all spaces."""

    def filling(self, tenant: str) -> str | None:
        """The space that vectors are put into: another than `space` while a new encoder takes over."""

    def begin(self, tenant: str, space: str) -> None:
        """Vectors are of this space from now on. The first one is searched at once, a later one from `take_over` on."""

    async def put(self, tenant: str, product_ids: Sequence[str], vectors: Vectors) -> None:
        """Adds or replaces vectors of the space being filled, [products, d]."""

    def take_over(self, tenant: str) -> None:
        """What is being filled is complete, and is searched from now on."""


class ItemVectors(Protocol):
    """Item vectors that outlive the process and are shared with the other services."""

    async def space(self, tenant: str) -> str | None:
        """The space in use, None when there is none yet."""

    async def known(self, tenant: str, space: str, products: Sequence[Product]) -> dict[str, Vectors]:
        """By product, the vectors [d] made of just the text that the product has now."""

    async def keep(self, tenant: str, space: str, products: Sequence[Product], vectors: Vectors) -> None:
        """`vectors`: [products, d]."""

    async def forget(self, tenant: str, product_ids: Sequence[str]) -> None: ...

    async def use(self, tenant: str, space: str) -> None:
        """All readers turn to this space."""


class Encoder(Protocol):
    """The model worker's encoder."""

    async def embed(
        self,
        texts: Sequence[str],
        *,
        role: Role = ...,
        priority: Priority = ...,
        timeout_s: float | None = ...,
    ) -> Embedded: ...


class Counts(Protocol):
    """What shoppers do, counted once in effect: the counts and how far they go change together."""

    async def load(
        self, tenant: str, at: Position, customers: Iterable[str]
    ) -> tuple[int, dict[str, Trail], dict[str, Reactions]]:
        """The last offset of `at`'s partition that is counted (-1: none), and the customers' trails and reactions.

        Raises `UnavailableError` when the counts have gone back behind what this process wrote: Redis was lost or
        restored, and all that is missing must be read again."""

    async def add(self, tenant: str, counted: Counted, after: int, upto: Position) -> bool:
        """Adds the counts, and notes that all is counted up to `upto`. False, with nothing done, when `after` is not
        the last offset counted any more: somebody else was faster."""

    async def reach(self, upto: Position) -> None:
        """All tenants are counted up to here: reading may begin after it."""


@dataclass(frozen=True, slots=True)
class Recollection:
    """What is known of one customer."""

    profile: ProfileUpdated | None = None
    need_vectors: Vectors | None = None
    """[needs, d] in the order of the profile's needs; None when there are none in the space asked for."""
    recent: Sequence[str] = ()
    """Products looked at, newest first."""
    ties: Mapping[str, Sequence[Tie]] = field(default_factory=dict)
    """By recent product."""
    reactions: Reactions = NO_REACTIONS
    wishes: Sequence[str] = ()
    wish_vectors: Vectors | None = None
    """[wishes, d], in the space asked for."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a customer before memory is asked."""

    recent: Sequence[str] = ()
    """Products looked at, newest first."""
    revision: int = 0
    """Of the profile that is at hand: memory gives one only when it is newer."""


class Memory(Protocol):
    """What is known of customers and of what all shoppers do."""

    async def recall(
        self, tenant: str, customers: Mapping[str, Known], space: str | None
    ) -> tuple[dict[str, Recollection], Boards]:
        """By customer, in one round trip. `space`: of the vectors wanted. Raises `UnavailableError`."""

    async def tied(self, tenant: str, product_id: str) -> tuple[Sequence[Tie], Boards]:
        """What is tied to one product, in one round trip. Raises `UnavailableError`."""

    async def boards(self, tenant: str) -> Boards:
        """In one round trip. Raises `UnavailableError`."""


class Orders(Protocol):
    """What was in each order."""

    async def keep(self, tenant: str, lines: Mapping[str, Sequence[str]]) -> None:
        """By order, its products."""

    async def find(self, tenant: str, order_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Those that are known."""


class Merges(Protocol):
    """Ids that turned out to be one customer: `Memory` follows their histories from then on."""

    async def note(self, tenant: str, merged: Mapping[str, Sequence[str]]) -> None:
        """By the id that is left, those that were merged into it, the last one first."""

    async def forget(self, tenant: str, customers: Sequence[str]) -> None: ...


class Graphs(Protocol):
    """The product graph of each tenant."""

    def of(self, tenant: str) -> ProductGraph: ...


class Statistics(Protocol):
    """What all customers made of what they were shown."""

    def of(self, tenant: str) -> ItemStatistics: ...


class Recaller(Protocol):
    """A source that has to be asked: a model on the worker."""

    name: ReasonKind

    async def recall(
        self, tenant: str, histories: Sequence[Sequence[str]], limit: int
    ) -> Sequence[Sequence[tuple[str, float]]]:
        """For each history (products looked at, oldest first) products and scores from 0 to 1, the best first. Raises
        `RetryableError` when the model cannot be asked."""


class WishWriter(Protocol):
    """A language model."""

    async def write(self, asked: Sequence[tuple[str, str]]) -> str:
        """The answer to some turns (role, text). Raises what the worker raises."""


class WishStore(Protocol):
    """What customers would want next."""

    async def keep(self, tenant: str, customer_id: str, space: str, texts: Sequence[str], vectors: Vectors) -> None:
        """`vectors`: [texts, d], of `space`."""

    async def forget(self, tenant: str, customers: Sequence[str]) -> None: ...


class Wishing(Protocol):
    """Customers whose wishes are to be written, in the background."""

    def note(self, tenant: str, profile: ProfileUpdated) -> None: ...


class ServedLog(Protocol):
    """Answers that were given, kept for as long as they may be shown."""

    def note(self, tenant: str, answer: Served) -> None:
        """Keeps it soon, in the background: no call waits for it."""

    async def find(self, tenant: str, recommendation_ids: Sequence[str]) -> Mapping[str, Served]:
        """Those that are known, in one round trip. Raises `UnavailableError`."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What trained models bring in."""

    parts: tuple[Part, ...] = ()
    sources: tuple[Source, ...] = ()
    recallers: tuple[Recaller, ...] = ()
    rankers: Rankers = field(default_factory=FixedWeights)


@dataclass(frozen=True, slots=True)
class Push:
    """The last answer that was published for a customer."""

    fingerprint: str
    partition: int
    """Where its profile lay, and at which offset."""
    offset: int
    expires_ms: int


class Pushes(Protocol):
    """The last answer of each customer."""

    async def last(self, tenant: str, customers: Sequence[str]) -> dict[str, Push]: ...

    async def remember(self, tenant: str, pushes: Mapping[str, Push]) -> None: ...

    async def forget(self, tenant: str, customers: Sequence[str]) -> None: ...
