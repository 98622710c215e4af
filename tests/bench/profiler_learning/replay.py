"""An exported demo shop through the profiler's own handler, in this process: real encoder, state in memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rapport.bus.catalog import CatalogView
from rapport.bus.messages import Message, Outgoing, Position
from rapport.events.catalog import ProductUpserted
from rapport.events.envelope import Envelope
from rapport.events.topics import EVENTS
from rapport.models.ports import Role
from rapport.models.tuning.vectors import vectors_of
from rapport.ops.settings import Settings
from rapport.serving.client import Embedded
from rapport.serving.loading import LoadedEncoder, load_encoder
from rapport.testing import MemoryKeyedState, MemoryKeyValues, message
from rapport.vectors.serving_copy import ServingCopy
from services.profiler.adapters.catalogue import ViewedCatalogue
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.adapters.copies import RedisCopies
from services.profiler.adapters.encoder import CachedEncoder
from services.profiler.adapters.moods import ClassifiedMoods
from services.profiler.adapters.states import KeyedCustomers, state_key
from services.profiler.domain.customer import Customer
from services.profiler.domain.rules import Rules
from services.profiler.handlers import profile_behaviour
from services.profiler.observers import Observer
from services.profiler.ports import Ports

# As many as the running consumer takes at most.
_BATCH = 256


class LocalModels:
    """The worker's encoder and sentiment head, in process."""

    def __init__(self) -> None:
        settings = Settings.load()
        self.loaded: LoadedEncoder = load_encoder(settings, ("sentiment",))
        self.model = str(self.loaded.backend.model)

    async def embed(self, texts: Sequence[str], **_: Any) -> Embedded:
        return Embedded(vectors_of(self.loaded.backend, texts, Role.PASSAGE), self.model)

    async def classify(self, task: str, texts: Sequence[str], **_: Any) -> Any:
        from rapport.serving.client import Classified

        head = self.loaded.heads[task]
        vectors = vectors_of(self.loaded.backend, texts, head.role)
        return Classified(head.labels, head.probabilities(vectors, texts), "local@1")


class Replay:
    """One partition of a profiler that reads an exported shop."""

    def __init__(self, folder: Path, models: LocalModels, observers: Sequence[Observer] = ()) -> None:
        self.folder, self.rules, self.codec = folder, Rules(), CustomerCodec()
        self.state, self.catalog = MemoryKeyedState(), CatalogView()
        copies = RedisCopies(ServingCopy(MemoryKeyValues()))
        self.ports = Ports(
            ViewedCatalogue(self.catalog),
            CachedEncoder(models, 100_000),
            ClassifiedMoods(models),
            copies,
            observers=observers,
        )
        self.told: list[Outgoing] = []
        self.seconds, self.events = 0.0, 0

    async def run(self, keep: str = "segments.v1") -> None:
        """Everything, in order; `told` has what was published on the topic `keep`."""
        lines = (self.folder / "catalog.jsonl").read_text(encoding="utf-8").splitlines()
        goods = [message(ProductUpserted.model_validate_json(line), number) for number, line in enumerate(lines)]
        await self.catalog.apply(goods)
        states, batch = KeyedCustomers(self.state, self.codec), []
        began = time.perf_counter()
        for each in messages(self.folder / "events.jsonl", "clickstream.v1"):
            batch.append(each)
            self.events += 1
            if len(batch) == _BATCH:
                await self._take(batch, states, keep)
                batch = []
        await self._take(batch, states, keep)
        self.seconds = time.perf_counter() - began

    async def _take(self, batch: list[Message], states: KeyedCustomers, keep: str) -> None:
        outgoings = await profile_behaviour(batch, states, self.ports, self.rules)
        self.told += [outgoing for outgoing in outgoings if outgoing.topic == keep]

    def customers(self) -> dict[str, Customer]:
        """By id, as kept now."""
        found = {}
        for key in list(self.state._values):
            stored = self.state.get(key)
            if stored is not None:
                found[key.partition("|")[2]] = self.codec.decode(stored)
        return found

    def key(self, customer: str) -> str:
        return state_key(("default", customer))


def messages(file: Path, topic: str | None = None) -> Iterator[Message]:
    """The lines of an export, as a handler gets them. `topic`: only of this one."""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            entry = json.loads(line)
            if topic is not None and entry["topic"] != topic:
                continue
            event = EVENTS[entry["type"]].model_validate(entry["data"])
            moment = event.occurred_at or datetime.fromtimestamp(0).astimezone()
            envelope = Envelope(id=entry["id"], type=entry["type"], source="demo", time=moment, tenant="default")
            position = Position(entry["topic"], 0, number)
            yield Message(event, envelope, entry["key"], position, int(moment.timestamp() * 1000))
