"""Clicks of simulated shoppers under our ranking, against popularity and random, on the whole stack.

    python -m tests.bench.recommender_clicks --stack FOLDER [--events 6000] [--rate 60] [--shoppers 400]

Protocol: a running stack (`./rapport up --no-demo`). The demo shop's simulation is published at the given rate through
Kafka: visits of shoppers whose tastes no event names. Then each of 300 shoppers who came is asked for through the
gateway: ten items. What they would click follows from the ground truth without chance: the sum over places of 1/(1 +
place) and the probability that this shopper, with the interests of that moment, clicks this product. "popularity": the
ten products looked at most in these events; "random": ten of all, in the mean of twenty draws; "best possible": by the
ground truth itself. All lists leave out what the shopper looked at. Intervals: 95 %, bootstrap over shoppers; "ratio":
ours by it, shoppers resampled together.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from rapport.bus.producer import EventProducer
from rapport.events.behaviour import ProductViewed
from rapport.ops.settings import KafkaSettings
from services.demo.adapters.world_files import load_world
from services.demo.domain.attention import click_chance, examined
from services.demo.domain.goods import Catalog, Product
from services.demo.domain.interest import Interest, Interests
from services.demo.domain.plan import Plan
from services.demo.domain.shopper import Shopper, make_shopper
from services.demo.domain.simulation import simulate
from services.demo.domain.world import TimedEvent, World
from services.demo.handlers import outgoing
from tests.bench.figures import Row, report
from tests.e2e.api import Api, api, eventually
from tests.e2e.page import Json
from tests.e2e.stack import Stack

ASKED, LIMIT, DRAWS, RESAMPLED, SETTLED_S = 300, 10, 20, 2000, 90.0
DICE = random.Random(11)
Lists = dict[str, list[list[Product]]]
"""By ranking, the lists of one shopper: several where chance takes part."""


async def published(stack: Stack, events: Sequence[TimedEvent], rate: float) -> None:
    producer = EventProducer("bench", KafkaSettings(bootstrap_servers=stack.bootstrap_servers))
    await producer.start()
    began = time.perf_counter()
    for at in range(0, len(events), 20):
        await asyncio.sleep(max(0.0, began + at / rate - time.perf_counter()))
        await producer.send_many([outgoing(timed, "default") for timed in events[at : at + 20]])
    await producer.stop()


def looked_on(views: Sequence[tuple[str, str]], keys: Iterable[str]) -> list[str]:
    """Ids under which somebody looked at products who has no other among `keys`: what was seen before somebody said who
    they are is answered for the customer they are."""
    shared = Counter(key.partition("-")[2] for key in set(keys))
    return [id_ for id_ in dict.fromkeys(customer for customer, _ in views) if shared[id_.partition("-")[2]] == 1]


async def listed(
    gateway: Api,
    customer: str,
    world: World,
    seen: set[str],
    popular: Sequence[str],
    chance: Callable[[Product], float],
) -> Lists:
    """What each ranking shows a shopper; `chance`: how likely they click a product that they look at."""
    products = {product.id: product for product in world.catalog.products}
    made = await gateway.recommendation(customer, 2 * LIMIT)
    ours = [item["product_id"] for item in made["items"] if item["product_id"] not in seen]
    left = [product_id for product_id in products if product_id not in seen]
    shown = {
        "ours": [ours],
        "popularity": [[product_id for product_id in popular if product_id not in seen]],
        "random": [DICE.sample(left, LIMIT) for _ in range(DRAWS)],
        "best possible": [sorted(left, key=lambda id_: chance(products[id_]), reverse=True)],
    }
    return {name: [[products[id_] for id_ in ids[:LIMIT]] for ids in lists] for name, lists in shown.items()}


def expected_clicks(shopper: Shopper, interest: Interest, shown: Sequence[Product], catalog: Catalog) -> float:
    """Clicks on a list in the mean."""
    return sum(
        examined(place) * click_chance(shopper, interest, product, catalog) for place, product in enumerate(shown)
    )


def table(clicks: dict[str, np.ndarray]) -> list[Row]:
    """Means with intervals, and ours by each."""
    dice, count = np.random.default_rng(1), len(clicks["ours"])
    drawn = dice.integers(0, count, (RESAMPLED, count))
    rows: list[Row] = []
    for name, values in clicks.items():
        means, ratios = values[drawn].mean(axis=1), clicks["ours"][drawn].mean(axis=1) / values[drawn].mean(axis=1)
        rows.append(
            {
                "ranking": name, "shoppers": count, "clicks a list": float(values.mean()), "95 %": _span(means),
                "ours is": f"{clicks['ours'].mean() / values.mean():.2f} x", "ratio 95 %": _span(ratios),
            }
        )  # fmt: skip
    return rows


def _span(values: np.ndarray) -> str:
    low, high = np.percentile(values, [2.5, 97.5])
    return f"{low:.3f} to {high:.3f}"


async def main(stack: Stack, count: int, rate: float, shoppers: int, file: Path | None) -> None:
    stack.rapport("demo", "catalog")
    world, now = load_world(), datetime.now(UTC)
    plan = Plan.at_rate(rate, now, seed=23, shoppers=shoppers, speed=1.0, run=str(int(time.time())))
    events = list(islice((timed for timed in simulate(world, plan) if timed.topic == "clickstream.v1"), count))
    views = [(timed.key, timed.event.product_id) for timed in events if isinstance(timed.event, ProductViewed)]
    popular = [product_id for product_id, _ in Counter(product_id for _, product_id in views).most_common()]
    await published(stack, events, rate)
    interests = Interests(world, plan)
    clicks: dict[str, list[float]] = {name: [] for name in ("ours", "popularity", "random", "best possible")}
    last: dict[str, str] = {timed.key: timed.event_id for timed in events}
    chosen = looked_on(views, last)[:ASKED]
    async with api(stack) as gateway:
        for customer in chosen:
            await eventually(partial(gateway.recommendation, customer, 1), _follows(last[customer]), SETTLED_S)
            shopper = make_shopper(world, plan, customer.partition("-")[2])
            seen = {product_id for who, product_id in views if who == customer}
            interest = interests.of(shopper, now)
            chance = partial(click_chance, shopper, interest, catalog=world.catalog)
            for name, lists in (await listed(gateway, customer, world, seen, popular, chance)).items():
                worth = [expected_clicks(shopper, interest, shown, world.catalog) for shown in lists]
                clicks[name].append(float(np.mean(worth)))
    report(__doc__ or "", table({name: np.array(values) for name, values in clicks.items()}), file)


def _follows(event_id: str) -> Callable[[Json], bool]:
    """Whether an answer rests on a profile that has come as far as an event."""
    return lambda made: made.get("trigger_event_id") == event_id


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stack", type=Path, required=True)
    parser.add_argument("--events", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--shoppers", type=int, default=400)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    asyncio.run(main(Stack(given.stack), given.events, given.rate, given.shoppers, given.json))
