"""A thousand malformed messages: nothing stops, each is set aside for every group as it was, mending brings it back."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from tests.e2e.api import Api, counted, eventually
from tests.e2e.malformed import PRODUCT, Maker, Wire, mixed
from tests.e2e.page import Page
from tests.e2e.stack import Stack

# The first test waits for the stack.
pytestmark = pytest.mark.timeout(500)
BAD, CUSTOMERS, GOOD_EACH = 1000, 40, 10
GROUPS = {"profiler", "recommender-behaviour", "content-outcomes"}


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the failure's fields, and the message as it was set aside."""

    failure: dict[str, str]
    key: bytes | None
    value: bytes | None
    headers: frozenset[tuple[str, bytes]]


Place = tuple[int, int]


async def send(stack: Stack, topic: str, wires: list[Wire]) -> dict[Place, Wire]:
    """By partition and offset."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers, max_request_size=8_000_000)
    await producer.start()
    try:
        sent = [await producer.send(topic, wire.value, key=wire.key, headers=list(wire.headers)) for wire in wires]
        stored = await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return {(at.partition, at.offset): wire for at, wire in zip(stored, wires, strict=True)}


async def letters(stack: Stack, topic: str, sent: dict[Place, Wire], within_s: float) -> dict[str, dict[Place, Letter]]:
    """The dead letters of what was sent, by group, once there is one of each bad message in each group."""
    wanted = {place for place, wire in sent.items() if wire.kind}
    found: dict[str, dict[Place, Letter]] = defaultdict(dict)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    consumer.subscribe(pattern=r".*\.dlq\.v1")
    await consumer.start()
    try:
        async with asyncio.timeout(within_s):
            while not all(wanted <= found[group].keys() for group in GROUPS):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    for letter in map(letter_of, batch):
                        failure = letter.failure
                        # Beside the letters lie notes that one was sent back: they have no failure.
                        if failure.get("topic") != topic:
                            continue
                        place = int(failure["partition"]), int(failure["offset"])
                        if place in sent:
                            assert place not in found[failure["group"]], f"{sent[place].name} was set aside twice"
                            found[failure["group"]][place] = letter
    except TimeoutError:
        missing = {group: Counter(sent[place].name for place in wanted - found[group].keys()) for group in GROUPS}
        pytest.fail(f"no dead letter for {missing}")
    finally:
        await consumer.stop()
    return found


def letter_of(record: ConsumerRecord) -> Letter:
    own, failure = [], {}
    for name, raw in record.headers:
        if name.startswith("rapport_dead_"):
            failure[name.removeprefix("rapport_dead_")] = raw.decode()
        else:
            own.append((name, raw))
    return Letter(failure, record.key, record.value, frozenset(own))


async def test_a_thousand_malformed_messages(stocked: Stack, page: Page, gateway: Api) -> None:
    topic, run = page.address_of("product_viewed"), uuid.uuid4().hex[:12]
    customers = [f"e2e-{run}-{number}" for number in range(CUSTOMERS)]
    wires = mixed(Maker(page, run), customers, BAD, GOOD_EACH)
    sent = await send(stocked, topic, wires)

    for customer in customers:
        await eventually(partial(gateway.profile, customer), counted(GOOD_EACH), 60)
    found = await letters(stocked, topic, sent, 60)
    assert set(found) == GROUPS
    for group in GROUPS:
        assert len(found[group]) == BAD
        for place, letter in found[group].items():
            wire = sent[place]
            assert letter.value == wire.value, wire.name
            assert letter.key == wire.key, wire.name
            assert letter.headers == frozenset(wire.headers), wire.name
            assert letter.failure["kind"] == wire.kind, wire.name
            assert wire.field is None or letter.failure["field"] == wire.field, wire.name
            assert letter.failure["message"]
            assert letter.failure["attempts"] == "1"

    await mend(stocked, gateway, run, wires, customers)


async def mend(stack: Stack, gateway: Api, run: str, wires: list[Wire], customers: list[str]) -> None:
    """Sends the messages without a product, and those without a key, back to the profiler, and sees them arrive."""
    lost = Counter(wire.key.decode() for wire in wires if wire.name in {"no product", "wrong type"} and wire.key)
    about = ("--group", "profiler", "--filter", f"text={run}", "--filter", "field=product_id")
    mending = (*about, "--set", "product_id=e2e-mended")
    count = lost.total()
    assert said(stack, "replay", *mending, "--dry-run") == f"{count} would be sent, 0 not"
    assert said(stack, "replay", *about) == f"0 sent, {count} not"
    assert said(stack, "replay", *mending) == f"{count} sent, 0 not"
    assert said(stack, "replay", *mending) == f"0 sent, {count} not"
    for customer in customers:
        await eventually(partial(gateway.profile, customer), counted(GOOD_EACH + lost[customer]))
    profile = await gateway.profile(customers[0])
    assert profile is not None
    assert set(profile["recent_product_ids"]) == {PRODUCT, "e2e-mended"}

    keyless = sum(wire.name == "no key" for wire in wires)
    keys = ("--group", "profiler", "--filter", f"text={run}", "--filter", "field=key", "--filter", "key=")
    assert said(stack, "replay", *keys, "--rekey") == f"{keyless} sent, 0 not"
    total = CUSTOMERS * GOOD_EACH + count + keyless
    await eventually(lambda: events_of(gateway, customers), lambda events: events == total)


async def events_of(gateway: Api, customers: list[str]) -> int:
    profiles = await asyncio.gather(*(gateway.profile(customer) for customer in customers))
    return sum((profile or {}).get("event_count", 0) for profile in profiles)


def said(stack: Stack, *arguments: str) -> str:
    """The last line of `./rapport dlq …`, without how many of the refused ones were shown."""
    return re.sub(r" \(shown: \d+\)$", "", stack.rapport("dlq", *arguments).strip().splitlines()[-1])
