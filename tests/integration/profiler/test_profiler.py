"""The profiler on a real broker, a real Redis and a real worker process: what goes in comes out once, whatever dies."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
import redis

from rapport.bus.client import topic_name
from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.reading import read_topic
from rapport.events.behaviour import Behaviour, Identify, ProductReviewed, ProductsSearched
from rapport.events.chat import ChatMessage
from rapport.events.profiles import ProfileUpdated
from rapport.testing import searched, viewed
from rapport.vectors.connection import RedisConnection
from rapport.vectors.serving_copy import ServingCopy
from tests.integration.profiler.conftest import Deployment, until
from tests.unit.profiler.conftest import product

SHOES = [product(f"shoe-{number}", title, "Running shoes") for number, title in enumerate(("Ridge", "Cloud", "Fell"))]


@pytest.fixture
async def producer(deployment: Deployment) -> AsyncIterator[EventProducer]:
    producer = EventProducer("test", deployment.kafka)
    await producer.start()
    yield producer
    await producer.stop()


def clicks(deployment: Deployment, events: Sequence[Behaviour], first: int = 0) -> list[Outgoing]:
    return [
        Outgoing("clickstream.v1", event.subject, event, f"e-{first + number}", deployment.tenant)
        for number, event in enumerate(events)
    ]


async def wait(deployment: Deployment, expected: dict[str, int], within_s: float) -> None:
    """Until each customer's profile includes that many events."""

    def there() -> bool:
        return all(deployment.event_count(customer) >= count for customer, count in expected.items())

    await asyncio.to_thread(until, there, within_s, f"profiles with {expected}")


async def published(deployment: Deployment) -> list[ProfileUpdated]:
    topic = topic_name(deployment.kafka, "profiles.v1")
    records = [record async for record in read_topic(deployment.kafka, topic)]
    return [ProfileUpdated.model_validate_json(record.value or b"") for record in records]


async def committed(deployment: Deployment, expected: dict[str, int], within_s: float) -> None:
    """Until the newest profile of each customer on the topic has that many events, no fewer and no more.

    The serving copies are no witness: they are written before the transaction.
    """
    async with asyncio.timeout(within_s):
        while {told.customer_id: told.event_count for told in await published(deployment)} != expected:  # noqa: ASYNC110
            await asyncio.sleep(1)


async def test_three_views_move_the_profile_everywhere(deployment: Deployment, producer: EventProducer) -> None:
    goods = [Outgoing("catalog.v1", shoe.product_id, shoe, shoe.product_id, deployment.tenant) for shoe in SHOES]
    await producer.send_many(goods)
    # The catalogue is a topic of its own, so the first views may come before it is read: warm up until they do not.
    await producer.send_many(clicks(deployment, [viewed("warm", "shoe-0")]))
    for number in range(1, 100):
        await wait(deployment, {"warm": number}, 60)
        if deployment.profile("warm").needs:
            break
        await producer.send_many(clicks(deployment, [viewed("warm", "shoe-0")], 900 + number))
    began = asyncio.get_running_loop().time()
    await producer.send_many(clicks(deployment, [viewed("c1", f"shoe-{number}") for number in range(3)], 10))
    await wait(deployment, {"c1": 3}, 60)
    print(f"three views to profile: {asyncio.get_running_loop().time() - began:.3f} s")
    profile = deployment.profile("c1")
    assert [need.label for need in profile.needs] == ["Running shoes"]
    assert (profile.revision, profile.session.funnel_stage) == (3, "consider")
    newest = [told for told in await published(deployment) if told.customer_id == "c1"][-1]
    assert (newest.revision, newest.needs[0].evidence[0]) == (3, "e-12")
    connection = RedisConnection(deployment.redis)
    await connection.start()
    try:
        vectors = await ServingCopy(connection).embeddings.get_many(deployment.tenant, "need", ["c1"])
        assert (str(vectors.space), vectors.vectors["c1"].shape) == ("rapport/dummy-encoder@1", (1, 384))
    finally:
        await connection.stop()


async def test_a_review_is_read_by_the_worker(deployment: Deployment, producer: EventProducer) -> None:
    good = ProductReviewed(customer_id="c1", product_id="p", review_body="Perfect, I love them. Great!")
    bad = ProductReviewed(customer_id="c2", product_id="p", review_body="Terrible and slow. The worst, broken")
    await producer.send_many(clicks(deployment, [good, bad]))
    await wait(deployment, {"c1": 1, "c2": 1}, 60)
    assert deployment.profile("c1").sentiment > 0.3
    assert deployment.profile("c2").sentiment < -0.3


@pytest.mark.timeout(300)
async def test_killed_and_started_again_it_counts_every_event_once(
    deployment: Deployment, producer: EventProducer
) -> None:
    customers = [f"c{number}" for number in range(20)]
    events = [searched(customers[number % 20], f"thing {number % 37}") for number in range(2000)]
    sending = asyncio.create_task(_send_slowly(producer, clicks(deployment, events)))
    for kills in range(2):
        await wait(deployment, {"c0": 10 + 20 * kills}, 90)
        deployment.profiler.kill()
        deployment.profiler.start()
    await sending
    await producer.send_many(clicks(deployment, events[-50:], first=1950))  # a sender that tries again
    expected = dict.fromkeys(customers, 100)
    await committed(deployment, expected, 120)
    # All may have been counted before the second kill: then nobody answers yet.
    await asyncio.to_thread(until, deployment.profiler.ready, 60, "ready again")
    assert {customer: deployment.event_count(customer) for customer in customers} == expected
    revisions = Counter((told.customer_id, told.revision) for told in await published(deployment))
    assert max(revisions.values()) == 1


@pytest.mark.timeout(300)
async def test_killed_amid_merges_it_loses_and_doubles_nothing(deployment: Deployment, producer: EventProducer) -> None:
    """The two ids of a person lie on different partitions, most of them."""
    people, looks = range(12), 60
    events: list[Behaviour] = []
    for look in range(looks):
        events += [_visit(person, look) for person in people]
        if look == looks // 2:
            events += [Identify(customer_id=f"c{person}", anonymous_id=f"a{person}") for person in people]
    sending = asyncio.create_task(_send_slowly(producer, clicks(deployment, events)))
    for seen in (10, 40):
        await wait(deployment, {"a0": seen}, 90)
        deployment.profiler.kill()
        deployment.profiler.start()
    await sending
    expected = {f"c{person}": looks + 1 for person in people}
    await committed(deployment, expected | {f"a{person}": 0 for person in people}, 120)
    await asyncio.to_thread(until, deployment.profiler.ready, 60, "ready again")
    assert {person: deployment.profile(f"a{person}").customer_id for person in people} == {
        person: f"c{person}" for person in people
    }


@pytest.mark.parametrize("deployment", [{"RAPPORT_KAFKA__STATEFUL_RUNTIME": "faust"}], indirect=True)
async def test_fausts_reader_merges_as_well(deployment: Deployment, producer: EventProducer) -> None:
    people = range(6)
    events: list[Behaviour] = [_visit(person, look) for look in range(6) for person in people]
    events += [Identify(customer_id=f"c{person}", anonymous_id=f"a{person}") for person in people]
    await producer.send_many(clicks(deployment, events))
    expected = {f"c{person}": 7 for person in people}
    await committed(deployment, expected | {f"a{person}": 0 for person in people}, 120)
    assert {deployment.profile(f"a{person}").customer_id for person in people} == set(expected)


def _visit(person: int, look: int) -> Behaviour:
    """Now and then a device sends under the old id, whoever has logged in."""
    known = look > 30 and look % 3
    fields = {"customer_id": f"c{person}"} if known else {"anonymous_id": f"a{person}"}
    return ProductsSearched.model_validate({"query": f"thing {look % 7}", **fields})


async def test_a_chat_moves_the_profile_of_who_speaks(deployment: Deployment, producer: EventProducer) -> None:
    line = ChatMessage(conversation_id="v-9", message_id="m-9", customer_id="c1", text="Do you have waterproof tents?")
    await producer.send_many([Outgoing("chat.messages.v1", "v-9", line, "m-9", deployment.tenant)])
    await wait(deployment, {"c1": 1}, 30)
    assert [list(need.evidence) for need in deployment.profile("c1").needs] == [["m-9"]]


async def _send_slowly(producer: EventProducer, outgoing: Sequence[Outgoing]) -> None:
    for at in range(0, len(outgoing), 20):
        await producer.send_many(outgoing[at : at + 20])
        await asyncio.sleep(0.05)  # 400 events/s, so that the kills fall into the stream


async def test_while_the_worker_is_gone_events_wait(deployment: Deployment, producer: EventProducer) -> None:
    await producer.send_many(clicks(deployment, [searched("c1", "tent")]))
    await wait(deployment, {"c1": 1}, 60)
    deployment.worker.kill()
    await producer.send_many(clicks(deployment, [searched("c1", "sofa")], 1))
    deployment.worker.start()
    await wait(deployment, {"c1": 2}, 60)
    assert {need.label for need in deployment.profile("c1").needs} == {"tent", "sofa"}
    dead_letters = topic_name(deployment.kafka, "profiler.dlq.v1")
    assert [record async for record in read_topic(deployment.kafka, dead_letters)] == []


async def test_an_emptied_redis_is_filled_again(deployment: Deployment, producer: EventProducer) -> None:
    customers = [f"c{number}" for number in range(40)]
    await producer.send_many(clicks(deployment, [searched(customer, "tent") for customer in customers]))
    expected = dict.fromkeys(customers, 1)
    await wait(deployment, expected, 60)
    before = deployment.profile("c7")
    with redis.Redis.from_url(deployment.redis_url) as client:
        client.flushdb()
    await wait(deployment, expected, 60)
    assert deployment.profile("c7") == before
