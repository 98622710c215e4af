"""Creates the topics of the registry, and refuses to run on topics that disagree with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from rapport.bus.client import LARGEST_RECORD_BYTES, admin, topic_name
from rapport.events.topics import TOPICS, Topic, dead_letter_topic
from rapport.ops.errors import ConfigurationError, UnavailableError
from rapport.ops.parts import Health
from rapport.ops.settings import KafkaSettings

log = structlog.stdlib.get_logger(__name__)
# A broker that has just started refuses to create topics for a few seconds, and learns of new ones a moment later: half
# a minute later on a machine whose cores are all taken.
_WITHIN_S, _PAUSE_S = 60.0, 0.1
# Between two attempts to reach a broker that is away.
_ASK_AGAIN_S = 1.0


class Topics:
    """All topics of the registry, as a part: there once it has started. Put it before everything that uses Kafka."""

    name = "topics"

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._there = False

    async def start(self) -> None:
        """Waits for a broker that is still coming up, a minute at most. Raises as `ensure_topics`."""
        deadline = time.monotonic() + _WITHIN_S
        while not self._there:
            try:
                await ensure_topics(self._settings, TOPICS.values())
                self._there = True
            except UnavailableError as error:
                if time.monotonic() > deadline:
                    raise
                log.warning("waiting for Kafka", error=str(error))
                await asyncio.sleep(_ASK_AGAIN_S)

    async def stop(self) -> None:
        self._there = False

    def health(self) -> Health:
        return Health(ready=self._there)


async def ensure_topics(settings: KafkaSettings, topics: Iterable[Topic]) -> None:
    """Creates those of `topics` that are missing, and checks the others' partition count and cleanup policy.

    Raises `ConfigurationError` naming a topic that disagrees, `UnavailableError` when the broker does not answer.
    """
    wanted = {topic_name(settings, topic.name): topic for topic in topics}
    async with admin(settings) as client:
        missing = wanted.keys() - set(await client.list_topics())
        await _create(client, [_new(settings, name, wanted[name]) for name in sorted(missing)])
        await _check(client, settings, wanted)


def _new(settings: KafkaSettings, name: str, topic: Topic) -> NewTopic:
    config = topic.config()
    if topic.events == dead_letter_topic("").events:
        # A record that was too large for us must still fit beside its failure headers.
        config["max.message.bytes"] = str(LARGEST_RECORD_BYTES)
    return NewTopic(name, settings.partitions, settings.replication_factor, topic_configs=config)


async def _create(client: AIOKafkaAdminClient, missing: list[NewTopic]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while missing:
        response = await client.create_topics(missing)
        failed = {name: for_code(code)(message) for name, code, message in response.topic_errors if code}
        # Another process of the same start may have been first.
        failed = {name: error for name, error in failed.items() if not isinstance(error, TopicAlreadyExistsError)}
        log.info("topics created", topics=[topic.name for topic in missing if topic.name not in failed])
        missing = [topic for topic in missing if topic.name in failed]
        for name, error in failed.items():
            if not error.retriable or time.monotonic() > deadline:
                fix = "create the topic by hand, or grant the right to"
                raise UnavailableError(repr(error), field=name, fix=fix) from error
        if missing:
            await asyncio.sleep(_PAUSE_S)


async def _check(client: AIOKafkaAdminClient, settings: KafkaSettings, wanted: dict[str, Topic]) -> None:
    for name, count in (await _partition_counts(client, sorted(wanted))).items():
        if count != settings.partitions:
            raise ConfigurationError(
                f"has {count} partitions, but RAPPORT_KAFKA__PARTITIONS is {settings.partitions}",
                field=name,
                fix="set it to the topic's count, or take another RAPPORT_KAFKA__TOPIC_PREFIX",
            )
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, {"cleanup.policy": ""}) for name in sorted(wanted)]
    for response in await client.describe_configs(resources):
        for _code, _message, _kind, name, entries, *_ in response.resources:
            _check_cleanup(name, entries, wanted[name])


async def _partition_counts(client: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Waits until the broker knows a leader for every partition: before, clients would meet errors and wait longer."""
    deadline = time.monotonic() + _WITHIN_S
    while True:
        found = await client.describe_topics(names)
        leaderless = [topic["topic"] for topic in found if _has_error(topic)]
        if not leaderless:
            return {topic["topic"]: len(topic["partitions"]) for topic in found}
        if time.monotonic() > deadline:
            raise UnavailableError(f"topics without a leader after {_WITHIN_S:.0f} s: {leaderless}", field="kafka")
        await asyncio.sleep(_PAUSE_S)


def _has_error(topic: dict[str, Any]) -> bool:
    return any(each["error_code"] for each in (topic, *topic["partitions"]))


def _check_cleanup(name: str, entries: Iterable[tuple[Any, ...]], topic: Topic) -> None:
    policies = {entry[0]: entry[1] for entry in entries}
    found = set(policies.get("cleanup.policy", topic.cleanup).split(","))
    if found != set(topic.cleanup.split(",")):
        raise ConfigurationError(
            f"cleanup.policy is {','.join(sorted(found))}, but must be {topic.cleanup}",
            field=name,
            fix="alter the topic, or take another RAPPORT_KAFKA__TOPIC_PREFIX",
        )
