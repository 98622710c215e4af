"""Topics from the registry on a real broker, and what is said about those that disagree."""

from __future__ import annotations

import pytest

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import admin, topic_name
from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics, ensure_topics
from rapport.events.topics import TOPICS, Topic
from rapport.ops.errors import ConfigurationError, SizeViolation, UnavailableError
from rapport.ops.settings import KafkaSettings
from tests.integration.bus.support import IN, fresh, living, settings_on, viewed


async def test_all_registered_topics_are_made_and_made_again_is_no_error(servers: EmbeddedServers) -> None:
    kafka = settings_on(servers.bootstrap_servers).kafka
    async with living(Topics(kafka)), living(Topics(kafka)):
        async with admin(kafka) as client:
            found = await client.describe_topics([topic_name(kafka, name) for name in TOPICS])
        assert {len(topic["partitions"]) for topic in found} == {3}


async def test_another_partition_count_stops_the_start(servers: EmbeddedServers) -> None:
    kafka = (await fresh(servers.bootstrap_servers)).kafka
    with pytest.raises(ConfigurationError, match="has 3 partitions, but RAPPORT_KAFKA__PARTITIONS is 4"):
        await ensure_topics(kafka.model_copy(update={"partitions": 4}), [TOPICS[IN]])


async def test_another_cleanup_policy_stops_the_start(servers: EmbeddedServers) -> None:
    kafka = (await fresh(servers.bootstrap_servers)).kafka
    compacted = Topic(IN, "customer", (), (), (), "", "compact")
    with pytest.raises(ConfigurationError, match=r"cleanup\.policy is delete, but must be compact"):
        await ensure_topics(kafka, [compacted])


async def test_no_broker_is_said_plainly() -> None:
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1"):
        await ensure_topics(nowhere, [TOPICS[IN]])
    producer = EventProducer("test", nowhere)
    with pytest.raises(UnavailableError):
        await producer.start()
    await producer.stop()
    with pytest.raises(UnavailableError, match="not running"):
        await producer.send(viewed(1))


async def test_an_event_that_the_broker_refuses_for_its_size_is_a_size_violation(servers: EmbeddedServers) -> None:
    settings = await fresh(servers.bootstrap_servers)
    giant = viewed(1)
    giant.headers["padding"] = b"x" * 20_000_000
    producer = EventProducer("test", settings.kafka)
    async with living(producer):
        with pytest.raises(SizeViolation):
            await producer.send(giant)
        await producer.send(viewed(2))
        assert producer.health().ready
