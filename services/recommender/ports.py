"""What the handlers need from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rapport.bus.messages import Position
from rapport.events.profiles import ProfileUpdated
from rapport.serving.client import Embedded, Priority, Role
from services.recommender.domain.counting import Counted
from services.recommender.domain.products import Product
from services.recommender.domain.situation import Boards, Near, Tie
from services.recommender.domain.trail import Trail

Vectors = npt.NDArray[np.float32]
Clock = Callable[[], datetime]


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

    async def near(
        self, tenant: str, queries: Vectors, limit: int, allowed: Callable[[str], bool] | frozenset[str]
    ) -> list[Near]:
        """What is nearest to each of [queries, d], vectors of `space`."""

    async def vector(self, tenant: str, product_id: str) -> Vectors | None:
        """A product's unit vector [d]; None when it is not indexed."""

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

    async def load(self, tenant: str, at: Position, customers: Iterable[str]) -> tuple[int, dict[str, Trail]]:
        """The last offset of `at`'s partition that is counted (-1: none), and the trails of the customers.

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


class Memory(Protocol):
    """What is known of customers and of what all shoppers do."""

    async def recall(
        self, tenant: str, customers: Mapping[str, Sequence[str]], space: str | None
    ) -> tuple[dict[str, Recollection], Boards]:
        """By customer, in one round trip. `customers`: with each, products known to be looked at, newest first.
        `space`: of the need vectors wanted. Raises `UnavailableError`."""

    async def tied(self, tenant: str, product_id: str) -> tuple[Sequence[Tie], Boards]:
        """What is tied to one product, in one round trip. Raises `UnavailableError`."""

    async def boards(self, tenant: str) -> Boards:
        """In one round trip. Raises `UnavailableError`."""


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
