"""Compares what Rapport made of a run with the ledger. Each check gives what is wrong; nothing, when all is exact."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec
import pytest
from redis.asyncio import Redis

from services.recommender.adapters import counting_keys
from services.recommender.domain.decay import CO_VISITS, POPULAR, TRENDING
from tests.chaos.ledger import CUSTOMERS, PRODUCTS, Ledger
from tests.e2e.api import Api
from tests.e2e.shopfront import Read

TENANT = "default"


def profiles(ledger: Ledger, published: Sequence[Read]) -> Iterator[str]:
    """profiles.v1: every change once, the last one with just the events that were sent."""
    own = [read for read in published if read.key.startswith(f"chaos-{ledger.run}-")]
    yield from _repeated("profiles.v1", own)
    last = {read.key: read.payload for read in own if read.payload}
    for customer, events in ledger.events.items():
        profile = last.get(customer)
        if profile is None:
            yield f"{customer}: no profile, {events} events"
            continue
        value = profile["value"]
        found = profile["event_count"], value["order_count"], Decimal(value.get("revenue", 0))
        wanted = events, ledger.orders[customer], ledger.revenue(customer)
        if found != wanted:
            yield f"{customer}: profile has events, orders, revenue {found}, sent were {wanted}"


async def served(ledger: Ledger, published: Sequence[Read], gateway: Api) -> Iterator[str]:
    """What is asked for is what was published last."""
    last = {read.key: read.payload for read in published if read.payload}
    problems = []
    for number in range(CUSTOMERS):
        customer = ledger.customer(number)
        profile, told = await gateway.profile(customer), last.get(customer)
        if (profile or {}).get("revision") != (told or {}).get("revision"):
            problems.append(
                f"{customer}: {profile and profile['revision']} served, {told and told['revision']} published"
            )
    return iter(problems)


async def counts(ledger: Ledger, redis: Redis) -> Iterator[str]:
    """The recommender's totals in Redis: what is popular, trending, looked at today, and what goes together."""
    problems = []
    at_ms = int(ledger.at.timestamp() * 1000)
    products = [ledger.product(number) for number in range(PRODUCTS)]
    for name, decay in (("popular", POPULAR), ("trending", TRENDING)):
        for product in products:
            mark = await redis.zscore(counting_keys.board(TENANT, name), product)
            found = 0.0 if mark is None else decay.worth(mark, at_ms)
            if found != pytest.approx(ledger.weights[product], rel=1e-6):
                problems.append(f"{product}: {name} {found}, sent {ledger.weights[product]}")
    day = ledger.at.date().isoformat()
    for product in products:
        found = await redis.zscore(counting_keys.shoppers(TENANT, day), product) or 0
        if found != len(ledger.lookers[product]):
            problems.append(f"{product}: {found} shoppers, {len(ledger.lookers[product])} looked")
        raw = await redis.get(counting_keys.co_visits(TENANT, product))
        ties = {
            other: CO_VISITS.worth(mark, at_ms)
            for other, mark, *_ in msgspec.msgpack.decode(raw if isinstance(raw, bytes) else b"\x90")
        }
        for other in products:
            wanted = 0 if other == product else ledger.tie(product, other)
            if ties.get(other, 0.0) != pytest.approx(wanted, rel=1e-6):
                problems.append(f"{product} and {other}: tie {ties.get(other)}, sent {wanted}")
    return iter(problems)


def outputs(ledger: Ledger, topics: Mapping[str, Sequence[Read]]) -> Iterator[str]:
    """Each message and brief is answered once; what follows from recommendations is there, and once."""
    replies = Counter(read.payload["in_reply_to"] for read in topics["chat.replies.v1"] if read.payload)
    for message in sorted(ledger.messages):
        if replies[message] != 1:
            yield f"{message}: {replies[message]} replies"
    copies = Counter(read.key for read in topics["content.published.v1"])
    for brief in sorted(ledger.briefs):
        if copies[brief] != 1:
            yield f"{brief}: published {copies[brief]} times"
    made: dict[str, list[Read]] = defaultdict(list)
    for read in topics["recommendations.v1"]:
        made[read.key].append(read)
    for customer in ledger.events:
        own = made[customer]
        yield from _repeated("recommendations.v1", own)
        if not own:
            yield f"{customer}: no recommendation"
        elif own[-1].payload and copies[own[-1].payload["recommendation_id"]] != 1:
            yield f"{customer}: {copies[own[-1].payload['recommendation_id']]} lines for the last recommendation"


async def catalogue(ledger: Ledger, gateway: Api) -> Iterator[str]:
    """The newest version of each product is what is known of it."""
    answer = await gateway.client.post("/v1/products/named", json=sorted(ledger.titles))
    known = {product: found["title"]["en"] for product, found in answer.json().items()}
    return iter(
        [
            f"{product}: {known.get(product)}, not {title}"
            for product, title in ledger.titles.items()
            if known.get(product) != title
        ]
    )


async def orders(ledger: Ledger, gateway: Api) -> Iterator[str]:
    """The chatbot knows the orders: asked for the newest ones, and of nobody else's."""
    problems = []
    for order, customer in list(ledger.order_states.items())[-5:]:
        answer = await gateway.chat(f"Where is my order {order}?", customer_id=customer)
        if answer.reply.get("order_id") != order:
            problems.append(f"{order}: {answer.reply}")
    return iter(problems)


def _repeated(topic: str, reads: Sequence[Read]) -> Iterator[str]:
    for event_id, times in Counter(read.headers["ce_id"] for read in reads).items():
        if times != 1:
            yield f"{topic}: {event_id} {times} times"
