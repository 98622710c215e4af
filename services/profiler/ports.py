"""What the handlers need from outside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rapport.bus.messages import Position
from services.profiler.domain.background import Background, Vector
from services.profiler.domain.customer import Customer
from services.profiler.domain.observation import Product
from services.profiler.domain.profile import Picture
from services.profiler.domain.trail import Backing
from services.profiler.observers import Observer

Key = tuple[str, str]
"""Tenant and customer id."""


class CustomerStates(Protocol):
    """The customers of one partition."""

    def includes(self, key: Key, position: Position) -> bool:
        """True when the stored state has the message at `position` in it already."""

    def load(self, key: Key) -> Customer | None: ...

    def save(self, key: Key, customer: Customer, position: Position) -> None:
        """`position` is the last message that the state includes."""

    def pack(self, customer: Customer) -> bytes:
        """A customer on the way to another partition."""

    def unpack(self, packed: bytes) -> Customer:
        """Raises `StateConflict` for bytes of another version."""


@dataclass(frozen=True, slots=True)
class Edition:
    """Which state a serving copy tells of. `encoder`: of its vectors; "" without any."""

    revision: int
    encoder: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A customer in keyed state, of whom no more is read than which edition the serving copy should be."""

    revision: int
    encoder: str
    open: Callable[[], Customer]
    """Raises `StateConflict` for bytes of another version."""


class Catalogue(Protocol):
    def product(self, tenant: str, product_id: str) -> Product | None: ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """`vectors` by text: [d], unit length, all of the encoder `model` (id@revision)."""

    vectors: Mapping[str, Vector]
    background: Background
    model: str


class TextEncoder(Protocol):
    async def current(self) -> str:
        """The encoder's id@revision. Raises `RetryableError` when it was never asked and does not answer."""

    async def encode(self, texts: Collection[str]) -> Encoded:
        """All of `texts` in at most one call to the worker. Raises `RetryableError` when it does not answer."""


class Moods(Protocol):
    async def score(self, texts: Collection[str]) -> dict[str, float]:
        """The tone of each text, -1 (bad) to 1 (good). Raises `RetryableError` when the worker does not answer."""


class Aspects(Protocol):
    async def told(self, texts: Collection[str]) -> Mapping[str, Mapping[str, str]]:
        """By text and by aspect, the words that speak of it. Raises `RetryableError` when no worker answers."""


class Voices(Protocol):
    async def told(self, texts: Collection[str]) -> Mapping[str, Mapping[str, float]]:
        """By text, how likely each type of customer is to write it, "" being none of them; empty while no classifier of
        them is promoted.

        Raises `RetryableError` when the worker does not answer.
        """


class ServingCopies(Protocol):
    """What other services and `GetProfile` read."""

    async def put(self, pictures: Mapping[Key, Picture]) -> None:
        """In one round trip a tenant. Raises `UnavailableError`."""

    async def behind(self, wanted: Mapping[Key, Edition]) -> list[Key]:
        """Those whose copy is missing, older or of another encoder. Raises `UnavailableError`."""

    async def restore(self, pictures: Mapping[Key, Picture]) -> int:
        """Puts those whose copy is missing, older or of another encoder; says how many. Raises `UnavailableError`."""

    async def find(self, key: Key) -> bytes | None:
        """The profile as JSON. Raises `UnavailableError`."""

    async def backing(self, key: Key) -> tuple[Backing, Vector | None]:
        """What explains the profile, and the needs' vectors [k, d] of its encoder, where it has any; empty for nobody.
        Raises `UnavailableError`.
        """

    async def intact(self) -> bool:
        """False when copies are missing: lost, or not there yet for a new encoder. Raises `UnavailableError`."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All that a batch of behaviour needs."""

    catalogue: Catalogue
    encoder: TextEncoder
    moods: Moods
    copies: ServingCopies
    observers: Sequence[Observer] = ()
    """The learned parts, in the order in which they are called."""
