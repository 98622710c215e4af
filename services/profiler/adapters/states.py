"""Customers in keyed state: which key is whose, and what the bytes mean."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

from rapport.bus.messages import KeyedState, Position
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.domain.customer import Customer
from services.profiler.ports import Key, Sealed

# Customers decoded in one go: some milliseconds, so that the stream is not held up.
_PAGE = 64


class KeyedCustomers:
    """The customers of one partition, kept in `state` under `tenant|customer`."""

    def __init__(self, state: KeyedState, codec: CustomerCodec) -> None:
        self._state, self._codec = state, codec

    def includes(self, key: Key, position: Position) -> bool:
        return self._state.includes(state_key(key), position)

    def load(self, key: Key) -> Customer | None:
        """Raises `StateConflict` for bytes of another version."""
        stored = self._state.get(state_key(key))
        return None if stored is None else self._codec.decode(stored)

    def save(self, key: Key, customer: Customer, position: Position) -> None:
        self._state.put(state_key(key), self._codec.encode(customer), position)

    def pack(self, customer: Customer) -> bytes:
        return self._codec.encode(customer)

    def unpack(self, packed: bytes) -> Customer:
        """Raises `StateConflict` for bytes of another version."""
        return self._codec.decode(packed)


def state_key(key: Key) -> str:
    """The customer comes last and stands as it is; the tenant's bars are escaped, so the key reads back in one way."""
    tenant = key[0].replace("%", "%25").replace("|", "%7C")
    return f"{tenant}|{key[1]}"


def parse_state_key(text: str) -> Key:
    """The other way round."""
    tenant, _, customer = text.partition("|")
    return tenant.replace("%7C", "|").replace("%25", "%"), customer


def pages(stored: Iterable[tuple[str, bytes]], codec: CustomerCodec) -> Iterator[dict[Key, Customer]]:
    """Customers by key, some at a time, out of a group's whole state as `KeyedCustomers` stores it."""
    for page in sealed_pages(stored, codec):
        yield {key: each.open() for key, each in page.items()}


def sealed_pages(stored: Iterable[tuple[str, bytes]], codec: CustomerCodec) -> Iterator[dict[Key, Sealed]]:
    """As `pages`, but each customer is decoded when asked for."""
    page: dict[Key, Sealed] = {}
    for key, value in stored:
        edition = codec.edition(value)
        page[parse_state_key(key)] = Sealed(edition.revision, edition.encoder, functools.partial(codec.decode, value))
        if len(page) == _PAGE:
            yield page
            page = {}
    if page:
        yield page
