"""What the language model's wishes are worth, with a real generator: the share that is usable, and what it brings.

    python -m tests.bench.recommender_wishes --generator HOST:PORT [--customers 60]

Protocol: a model worker with a generator (`python -m services.content.worker`), the encoder of the settings in this
process. The demo shop's simulation gives visits of shoppers whose tastes no event names; of each shopper with two to
eight looks the needs (the kinds looked at) and the looks are told, as the service tells them, and the service's own
handler has the wishes written, matched and sifted. "of": the lines asked for, three each. "right": the product that
a wish comes to is of a kind that the shopper is after (5 % of their interest or more) and has not looked at; "blind": a
kind drawn among those not looked at. "clicks": expected clicks on the first ten of needs, likeness and wishes by the
fixed weights (places looked at with 1/(1 + place)), with the wishes and without, paired; intervals 95 %, bootstrap over
customers.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np

from rapport.events.behaviour import ProductViewed
from rapport.models.ports import Role
from rapport.ops.settings import Settings
from rapport.serving.channel import PeerChannel
from rapport.serving.generator_client import GeneratorClient
from rapport.serving.loading import load_encoder
from rapport.vectors.exact import ExactIndex
from services.demo.adapters.world_files import load_world
from services.demo.domain.goods import Product
from services.demo.domain.interest import Interest, Interests
from services.demo.domain.plan import Plan
from services.demo.domain.shopper import Shopper, make_shopper
from services.demo.domain.simulation import simulate
from services.demo.domain.world import World
from services.recommender.adapters.item_indexes import ItemIndexes
from services.recommender.adapters.wish_queue import WorkerWishes
from services.recommender.domain.blend import Blend
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.products import product_of
from services.recommender.domain.situation import NeedHits, Situation, WishHits
from services.recommender.domain.sources.need import NeedSource
from services.recommender.domain.sources.similar import SimilarSource
from services.recommender.domain.sources.wish import WishSource
from services.recommender.domain.wishing import MOST_WISHES
from services.recommender.handlers.wishing import wish
from services.recommender.ports import Vectors
from tests.bench.chatbot_conduct.in_process import InProcess
from tests.bench.figures import Row, report
from tests.bench.recommender_clicks import expected_clicks
from tests.unit.recommender.goods import profile

TENANT, NOW, EVENTS, LIMIT, RESAMPLED = "bench", datetime(2026, 11, 22, tzinfo=UTC), 4000, 10, 2000
KEEN = 0.05
WITHOUT = Blend((NeedSource(), SimilarSource()))
WITH = Blend((*WITHOUT.sources, WishSource()))


@dataclass(frozen=True)
class Person:
    shopper: Shopper
    interest: Interest
    seen: Sequence[Product]
    """The newest first, each once."""
    needs: Sequence[str]
    """Names of kinds, what was looked at most first."""

    @property
    def known(self) -> set[str]:
        return {product.kind.id for product in self.seen}

    @property
    def wanted(self) -> set[str]:
        """Kinds that a wish should come to."""
        return {kind for kind, weight in self.interest.kinds.items() if weight >= KEEN} - self.known


class Shop:
    """The demo shop's catalogue, embedded, and the stores that the handler asks for."""

    def __init__(self, world: World) -> None:
        self.world, self.encoder = world, InProcess(load_encoder(Settings(), ()).backend)
        self.goods = {product.id: product for product in world.catalog.products}
        self.catalogues, self.items = Catalogues(), ItemIndexes(lambda _tenant, _space: ExactIndex())
        self.kept: Vectors = np.empty((0, 0), np.float32)

    async def open(self) -> None:
        for product in self.goods.values():
            self.catalogues.put(TENANT, product_of(product.upserted()))
        texts = [product.text for product in self.catalogues.of(TENANT).products.values()]
        embedded = await self.encoder.embed(texts, role=Role.PASSAGE)
        self.items.begin(TENANT, embedded.model)
        await self.items.put(TENANT, list(self.goods), embedded.vectors)

    async def keep(self, _tenant: str, _customer: str, _space: str, _texts: Sequence[str], vectors: Vectors) -> None:
        self.kept = vectors

    async def forget(self, _tenant: str, _customers: Sequence[str]) -> None:
        self.kept = self.kept[:0]


def people(world: World, count: int) -> list[Person]:
    """Shoppers with two to eight looks, and something left to wish for."""
    plan = Plan.at_rate(50.0, NOW, seed=23, shoppers=300, speed=1.0, run="wishes")
    goods, interests = {product.id: product for product in world.catalog.products}, Interests(world, plan)
    looks: dict[str, list[Product]] = defaultdict(list)
    for timed in islice((each for each in simulate(world, plan) if each.topic == "clickstream.v1"), EVENTS):
        if isinstance(timed.event, ProductViewed):
            looks[timed.key].append(goods[timed.event.product_id])
    found = []
    for customer, seen in looks.items():
        shopper = make_shopper(world, plan, customer.partition("-")[2])
        needs = Counter(product.kind.name["en"] for product in seen)
        distinct = list({product.id: product for product in reversed(seen)}.values())
        person = Person(shopper, interests.of(shopper, NOW), distinct, [name for name, _ in needs.most_common(3)])
        if 2 <= len(seen) <= 8 and person.wanted:
            found.append(person)
    return found[:count]


async def situation(person: Person, shop: Shop) -> Situation:
    """What the sources read: a need is the mean of the products looked at of its kind."""
    seen = await shop.items.vectors(TENANT, [product.id for product in person.seen])
    parts = [
        np.mean([seen[each.id] for each in person.seen if each.kind.name["en"] == name], axis=0)
        for name in person.needs
    ]
    queries = np.stack([*(part / np.linalg.norm(part) for part in parts), seen[person.seen[0].id], *shop.kept])
    available = shop.catalogues.of(TENANT).available
    near = await shop.items.near(TENANT, queries.astype(np.float32), 5 * LIMIT, available)
    count = len(parts)
    return Situation(
        0,
        shop.catalogues.of(TENANT),
        recent=[product.id for product in person.seen],
        needs=tuple(NeedHits(name, 1 / count, hits) for name, hits in zip(person.needs, near, strict=False)),
        similar=near[count],
        wishes=tuple(WishHits("", hits) for hits in near[count + 1 :]),
    )


def clicks(person: Person, found: Situation, blend: Blend, shop: Shop) -> float:
    """Expected clicks on the first ten that were not looked at."""
    pool, seen = blend.pool(found), {product.id for product in person.seen}
    ids = [id_ for place in pool.best().tolist() if (id_ := pool.product_ids[place]) not in seen][:LIMIT]
    return expected_clicks(person.shopper, person.interest, [shop.goods[id_] for id_ in ids], shop.world.catalog)


async def measure(generator: str, count: int) -> list[Row]:
    world = load_world()
    shop = Shop(world)
    await shop.open()
    channel = PeerChannel("generator", generator, 300.0)
    await channel.start()
    right: list[bool] = []
    blind, pairs = [], []
    for person in people(world, count):
        told = profile(person.shopper.name, person.needs, recent_product_ids=[each.id for each in person.seen[:5]])
        await shop.forget(TENANT, [])
        written = await wish(
            TENANT, told, catalogues=shop.catalogues, items=shop.items, encoder=shop.encoder, store=shop,
            writer=WorkerWishes(GeneratorClient(channel)),
        )  # fmt: skip
        found = await situation(person, shop)
        nearest = [shop.goods[hits.near.product_ids[0]].kind.id for hits in found.wishes]
        right += [kind in person.wanted for kind in nearest]
        blind.append(len(person.wanted) / (len(world.catalog.kinds) - len(person.known)))
        pairs.append((clicks(person, found, WITH, shop), clicks(person, found, WITHOUT, shop)))
        print(person.needs, "->", list(zip(written, nearest, strict=True)), flush=True)
    await channel.stop()
    both = np.array(pairs)
    drawn = np.random.default_rng(1).integers(0, len(both), (RESAMPLED, len(both)))
    low, high = np.percentile((both[:, 0] - both[:, 1])[drawn].mean(axis=1), [2.5, 97.5])
    return [
        {
            "customers": len(both), "usable lines": len(right), "of": MOST_WISHES * len(both),
            "right": float(np.mean(right)) if right else 0.0, "blind": float(np.mean(blind)),
            "clicks with": both[:, 0].mean(), "without": both[:, 1].mean(), "gain 95 %": f"{low:+.4f} to {high:+.4f}",
        }
    ]  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--generator", required=True, help="HOST:PORT of a model worker with a generator.")
    parser.add_argument("--customers", type=int, default=60)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    report(__doc__ or "", asyncio.run(measure(given.generator, given.customers)), given.json)
