"""HandlerConsumer on a real broker: order, outputs, poison, retries, duplicates, size, draining."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import topic_name
from rapport.bus.consumer import HandlerConsumer
from rapport.bus.dead_letter import read_dead_letter
from rapport.bus.messages import Message, Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.records import Sending, sending_of
from rapport.ops.errors import UnavailableError
from rapport.ops.settings import Settings
from tests.integration.bus.support import IN, echo, fresh, ids_on, ids_until, living, records_on, until, viewed


async def test_each_event_is_handled_once_in_its_customers_order_and_answered_once(
    settings: Settings, producer: EventProducer
) -> None:
    handled: dict[str, list[str]] = defaultdict(list)

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        assert len({message.position.partition for message in messages}) == 1
        for message in messages:
            handled[message.key].append(message.envelope.id)
        return await echo(messages)

    async with living(HandlerConsumer("g", [IN], handler, settings)):
        await producer.send_many([viewed(number) for number in range(500)])
        found = await ids_until(settings, {f"out-e{number}" for number in range(500)}, 20)
    assert set(found.values()) == {1}
    for customer in range(10):
        assert handled[f"c{customer}"] == [f"e{number}" for number in range(500) if number % 10 == customer]


async def test_poison_among_good_messages_becomes_typed_dead_letters_with_the_original_bytes(
    settings: Settings, producer: EventProducer
) -> None:
    good = [sending_of(viewed(number), "test", settings.kafka) for number in range(60)]
    proper = good[0]
    no_type = [header for header in proper.headers if header[0] != "ce_type"]
    bad = [
        Sending(proper.topic, b"c0", b"{not json", proper.headers),
        Sending(proper.topic, b"c1", b'{"customer_id": 7}', [*proper.headers, ("x", b"\xff\x00")]),
        Sending(proper.topic, b"c2", b"\xff\xfe", proper.headers),
        Sending(proper.topic, b"c3", None, proper.headers),
        Sending(proper.topic, b"\xff", proper.value, proper.headers),
        Sending(proper.topic, b"c4", proper.value, no_type),
        Sending(proper.topic, b"c5", proper.value, []),
    ]
    mixed = [sending for pair in zip(good, bad * 9, strict=False) for sending in pair]

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        if any(message.envelope.id == "e13" for message in messages):
            raise ValueError("unlucky")
        return await echo(messages)

    async with living(HandlerConsumer("g", [IN], handler, settings)):
        await producer.send_records(mixed)
        wanted = {f"out-e{number}" for number in range(60) if number != 13}
        assert set((await ids_until(settings, wanted, 20)).values()) == {1}
    records = await records_on(settings, "g.dlq.v1")
    letters = [(record, read_dead_letter(record)) for record in records]
    assert len(letters) == 61
    kinds = [letter.kind.value for _, letter in letters if letter]
    assert kinds.count("schema_violation") == 60
    assert kinds.count("handler_error") == 1
    sent = {(sending.key, sending.value) for sending in bad}
    assert {
        (record.key, record.value) for record, letter in letters if letter and letter.kind == "schema_violation"
    } == sent
    kept = next(record for record, _ in letters if record.key == b"c1")
    assert ("x", b"\xff\x00") in kept.headers
    unlucky = next(letter for _, letter in letters if letter and letter.kind == "handler_error")
    assert "unlucky" in unlucky.message
    assert unlucky.topic == topic_name(settings.kafka, IN)


async def test_five_megabytes_do_not_stop_the_partition(settings: Settings, producer: EventProducer) -> None:
    giant = Sending(topic_name(settings.kafka, IN), b"c0", b"x" * 5_000_000, ())
    async with living(HandlerConsumer("g", [IN], echo, settings)):
        await producer.send_records([giant, sending_of(viewed(0), "test", settings.kafka)])
        await ids_until(settings, {"out-e0"}, 20)
    (record,) = await records_on(settings, "g.dlq.v1")
    letter = read_dead_letter(record)
    assert letter is not None
    assert letter.kind == "size_violation"
    assert record.value == giant.value


async def test_a_handler_that_says_try_later_gets_the_batch_again_in_order(
    settings: Settings, producer: EventProducer
) -> None:
    tries: list[list[str]] = []

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        tries.append([message.envelope.id for message in messages])
        if len(tries) < 3:
            raise UnavailableError("the worker is away")
        return await echo(messages)

    await producer.send_many([viewed(number, customers=1) for number in range(5)])
    async with living(HandlerConsumer("g", [IN], handler, settings)):
        found = await ids_until(settings, {f"out-e{number}" for number in range(5)}, 20)
    assert set(found.values()) == {1}
    assert tries[0] == tries[1] == tries[2] == [f"e{number}" for number in range(5)]
    assert await records_on(settings, "g.dlq.v1") == []


async def test_a_handler_that_never_succeeds_is_given_up_after_the_stated_time(
    servers: EmbeddedServers,
) -> None:
    settings = await fresh(servers.bootstrap_servers, retry_for_s=1)
    producer = EventProducer("test", settings.kafka)

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        if any(message.envelope.id == "e1" for message in messages):
            raise UnavailableError("the worker dies of this one")
        return await echo(messages)

    async with living(HandlerConsumer("g", [IN], handler, settings), producer):
        await producer.send_many([viewed(number, customers=1) for number in range(3)])
        await ids_until(settings, {"out-e0", "out-e2"}, 20)
    (record,) = await records_on(settings, "g.dlq.v1")
    letter = read_dead_letter(record)
    assert letter is not None
    assert letter.kind == "enrichment_failure"
    assert letter.attempts > 2


async def test_an_event_sent_twice_is_handled_once_even_after_a_restart(
    settings: Settings, producer: EventProducer
) -> None:
    async with living(HandlerConsumer("g", [IN], echo, settings)):
        await producer.send_many([viewed(1), viewed(1), viewed(2)])
        await ids_until(settings, {"out-e1", "out-e2"}, 20)
    async with living(HandlerConsumer("g", [IN], echo, settings)):
        await producer.send_many([viewed(2), viewed(1), viewed(3), viewed(11), viewed(12)])
        found = await ids_until(settings, {"out-e3", "out-e11", "out-e12"}, 20)
    assert set(found.values()) == {1}


async def test_stop_finishes_the_batch_under_way_and_commits_it(settings: Settings, producer: EventProducer) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()
    handled: list[str] = []

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        begun.set()
        await finish.wait()
        handled.extend(message.envelope.id for message in messages)
        return await echo(messages)

    consumer = HandlerConsumer("g", [IN], handler, settings)
    async with living(consumer):
        await producer.send(viewed(1))
        await asyncio.wait_for(begun.wait(), 10)
        stopping = asyncio.create_task(consumer.stop())
        await asyncio.sleep(0.1)
        finish.set()
        await stopping
    assert await ids_on(settings) == {"out-e1": 1}
    async with living(HandlerConsumer("g", [IN], handler, settings)):
        await producer.send(viewed(11))
        await ids_until(settings, {"out-e11"}, 20)
    assert handled == ["e1", "e11"]


async def test_a_hung_handler_is_abandoned_at_the_end_of_the_drain_and_repeated_by_the_next(
    settings: Settings, producer: EventProducer
) -> None:
    begun = asyncio.Event()

    async def hangs(_: Sequence[Message]) -> Sequence[Outgoing]:
        begun.set()
        await asyncio.Event().wait()
        return ()

    async with living(HandlerConsumer("g", [IN], hangs, settings)):
        await producer.send(viewed(1))
        await asyncio.wait_for(begun.wait(), 10)
    async with living(HandlerConsumer("g", [IN], echo, settings)):
        await ids_until(settings, {"out-e1"}, 20)


async def test_a_handler_with_a_store_of_its_own_gets_again_what_the_store_has_lost(
    settings: Settings, producer: EventProducer
) -> None:
    async with living(HandlerConsumer("g", [IN], echo, settings)):
        await producer.send_many([viewed(number, customers=1) for number in range(8)])
        await ids_until(settings, {f"out-e{number}" for number in range(8)}, 20)
    handled: list[str] = []

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        handled.extend(message.envelope.id for message in messages)
        return await echo(messages)

    async def reached(topic: str, _: int) -> int:
        assert topic == IN
        return 5

    async with living(HandlerConsumer("g", [IN], handler, settings, reached=reached)):
        await until(lambda: handled == ["e5", "e6", "e7"], 20)


async def test_events_that_come_one_by_one_share_transactions_but_the_first_waits_for_nothing(
    settings: Settings, producer: EventProducer
) -> None:
    sizes: list[int] = []

    async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
        sizes.append(len(messages))
        return await echo(messages)

    # A minute: had the first to wait, it would come too late; and what comes until the next batch is one batch.
    async with living(HandlerConsumer("g", [IN], handler, settings, commit_interval_s=60)):
        await producer.send_many([viewed(0)])
        await ids_until(settings, {"out-e0"}, 30)
    async with living(HandlerConsumer("g", [IN], handler, settings, commit_interval_s=5)):
        for number in range(10, 210, 10):
            await producer.send_many([viewed(number)])
        await ids_until(settings, {f"out-e{number}" for number in range(10, 210, 10)}, 40)
    assert sum(sizes) == 21
    assert len(sizes) < 12
