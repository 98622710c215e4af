"""The embedded broker and Redis are the real thing: what Rapport needs of them works, and survives a crash."""

from __future__ import annotations

import asyncio
import uuid

import numpy as np
import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.servers import EmbeddedServers


async def _create(bootstrap: str, *topics: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics(list(topics))
        assert [error for _, error, *_ in answer.topic_errors] == [0] * len(topics)
    finally:
        await admin.close()


async def _read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    async with asyncio.timeout(20):
        await consumer.start()
        try:
            return [(await consumer.getone()).value for _ in range(count)]
        finally:
            await consumer.stop()


async def test_an_aborted_transaction_is_never_read(servers: EmbeddedServers) -> None:
    topic = f"t-{uuid.uuid4()}"
    await _create(servers.bootstrap_servers, NewTopic(topic, 1, 1))
    producer = AIOKafkaProducer(bootstrap_servers=servers.bootstrap_servers, transactional_id=topic)
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed")
    finally:
        await producer.stop()
    assert await _read(servers.bootstrap_servers, topic, 1) == [b"committed"]


async def test_a_compacted_topic_keeps_the_newest_value_of_a_key(servers: EmbeddedServers) -> None:
    topic = f"t-{uuid.uuid4()}"
    eager = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
    await _create(servers.bootstrap_servers, NewTopic(topic, 1, 1, topic_configs=eager))
    producer = AIOKafkaProducer(bootstrap_servers=servers.bootstrap_servers)
    await producer.start()
    try:
        async with asyncio.timeout(60):
            first = b""
            # Each send past 100 ms closes a segment, so that the one before can be compacted.
            for number in range(600):
                last = await producer.send_and_wait(topic, b"%d" % number, key=b"key")
                if last.offset > 1:
                    [first] = [value or b"" for value in await _read(servers.bootstrap_servers, topic, 1)]
                if first not in (b"", b"0"):
                    break
                await asyncio.sleep(0.2)
    finally:
        await producer.stop()
    assert int(first) > 0


async def test_messages_survive_a_killed_broker(servers: EmbeddedServers) -> None:
    topic = f"t-{uuid.uuid4()}"
    await _create(servers.bootstrap_servers, NewTopic(topic, 1, 1))
    producer = AIOKafkaProducer(bootstrap_servers=servers.bootstrap_servers, acks="all")
    await producer.start()
    await producer.send_and_wait(topic, b"before")
    await producer.stop()
    servers.kill_broker()
    servers.start_broker()
    assert await _read(servers.bootstrap_servers, topic, 1) == [b"before"]


def test_redis_has_vector_sets(servers: EmbeddedServers) -> None:
    key = f"t:{uuid.uuid4()}"
    with redis.Redis.from_url(servers.redis_url) as client:
        for name, vector in {"x": [1, 0, 0], "y": [0, 1, 0]}.items():
            client.execute_command("VADD", key, "FP32", np.asarray(vector, np.float32).tobytes(), name)
        near = client.execute_command("VSIM", key, "VALUES", 3, 0.9, 0.1, 0.0, "COUNT", 1)
    assert near == [b"x"]


def test_redis_keeps_its_data_over_a_restart(servers: EmbeddedServers) -> None:
    key = f"t:{uuid.uuid4()}"
    with redis.Redis.from_url(servers.redis_url) as client:
        client.set(key, "kept")
    servers.stop_redis()
    servers.start_redis()
    with redis.Redis.from_url(servers.redis_url) as client:
        assert client.get(key) == b"kept"
