"""The profiler with fakes at its edges: events in, profiles out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from rapport.bus.catalog import CatalogView
from rapport.bus.messages import Message, Outgoing
from rapport.events.base import Event
from rapport.events.catalog import ProductUpserted
from rapport.events.profiles import ProfileUpdated
from rapport.testing import FakeClassifier, FakeEncoder, MemoryKeyedState, MemoryKeyValues, message
from rapport.testing.events import BEGIN
from rapport.vectors.serving_copy import ServingCopy
from services.profiler.adapters.catalogue import ViewedCatalogue
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.adapters.copies import RedisCopies
from services.profiler.adapters.encoder import CachedEncoder
from services.profiler.adapters.moods import ClassifiedMoods
from services.profiler.adapters.states import KeyedCustomers, state_key
from services.profiler.answers import find_profile
from services.profiler.domain.customer import Customer
from services.profiler.domain.rules import Rules
from services.profiler.handlers import profile_behaviour
from services.profiler.ports import Ports

GOODS = {
    "Running shoes": ("Ridge", "Cloud", "Marathon", "Fell"),
    "Coffee makers": ("Barista", "Drip", "Moka", "Press"),
    "Headphones": ("Quiet", "Pocket", "Studio", "Sport"),
}
MOODS = {"sentiment": {"negative": ["broken", "差"], "neutral": [], "positive": ["love", "好"]}}


def product(id_: str, title: str, category: str, brand: str = "Fernhill", price: str = "129.00") -> ProductUpserted:
    return ProductUpserted.model_validate(
        {
            "product_id": id_,
            "title": {"en": f"{title} {category}"},
            "category": ["Shop", category],
            "brand": brand,
            "price": price,
            "currency": "EUR",
        }
    )


class Shop:
    """One partition of a profiler. Products are `<category's first word in lower case>-<number>`."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.encoder, self.state, self.redis = FakeEncoder(), MemoryKeyedState(), MemoryKeyValues()
        self.catalog, self.codec = CatalogView(), CustomerCodec()
        self.store = ServingCopy(self.redis)
        self.copies = RedisCopies(self.store)
        self.ports = Ports(
            ViewedCatalogue(self.catalog),
            CachedEncoder(self.encoder, 1000),
            ClassifiedMoods(FakeClassifier(MOODS)),
            self.copies,
        )
        self.offset = 0

    async def open(self) -> None:
        items = [
            product(f"{category.split()[0].lower()}-{number}", title, category)
            for category, titles in GOODS.items()
            for number, title in enumerate(titles)
        ]
        await self.catalog.apply([message(item, number) for number, item in enumerate(items)])

    def at(self, event: Event, *, minutes: float = 0, days: float = 0, **more: Any) -> Message:
        """The next message of the partition, happening that long after the shop opened."""
        self.offset += 1
        moment = BEGIN + timedelta(minutes=minutes, days=days)
        return message(event, self.offset, at=moment, **more)

    async def take(self, *messages: Message) -> Sequence[Outgoing]:
        """One batch."""
        return await profile_behaviour(messages, KeyedCustomers(self.state, self.codec), self.ports, self.rules)

    async def happen(self, *events: Event, minutes: float = 0, days: float = 0) -> ProfileUpdated:
        """A batch of events a second apart; the last profile published."""
        seconds = [minutes + number / 60 for number in range(len(events))]
        messages = [self.at(event, minutes=minute, days=days) for event, minute in zip(events, seconds, strict=True)]
        found = await self.take(*messages)
        return [outgoing.event for outgoing in found if isinstance(outgoing.event, ProfileUpdated)][-1]

    async def profile(self, customer: str = "c1") -> ProfileUpdated:
        return await find_profile(("default", customer), self.copies)

    def kept(self, customer: str = "c1") -> Customer:
        stored = self.state.get(state_key(("default", customer)))
        assert stored is not None
        return self.codec.decode(stored)


@pytest.fixture
async def shop() -> Shop:
    opened = Shop()
    await opened.open()
    return opened
