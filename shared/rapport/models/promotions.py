"""Which version of each model answers: written to `models.v1`, read back whole. What `./rapport models` does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from rapport.bus.messages import Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.reading import read_messages
from rapport.bus.topics import ensure_topics
from rapport.events.governance import ModelPromoted
from rapport.events.topics import topic_named
from rapport.models.versions import Version
from rapport.ops.errors import StateConflict
from rapport.ops.settings import Settings

TOPIC = "models.v1"
# Rollbacks that can follow each other.
_MOST_EARLIER = 20


async def promotions(settings: Settings) -> Mapping[str, ModelPromoted]:
    """What is promoted now, by model. Raises `UnavailableError` when no broker answers."""
    await ensure_topics(settings.kafka, [topic_named(TOPIC)])
    found: dict[str, ModelPromoted] = {}
    async for message in read_messages(settings, TOPIC):
        if isinstance(message.event, ModelPromoted):
            found[message.key] = message.event
        else:
            found.pop(message.key, None)
    return found


async def promote(version: Version, settings: Settings) -> ModelPromoted:
    """`version` answers from now on. Raises `StateConflict` when it does already, `UnavailableError`."""
    before = (await promotions(settings)).get(version.name)
    if before is not None and before.version == version.version:
        raise StateConflict(f"{version} is promoted already")
    earlier = [*before.earlier, before.version][-_MOST_EARLIER:] if before else []
    return await _publish(version, earlier, settings)


async def follow_up(version: Version, settings: Settings, *, promoted: bool) -> str:
    """What a training command says last: that its version is promoted, which is done here, or how to. Raises as
    `promote`.
    """
    if promoted:
        await promote(version, settings)
    follow = "promoted" if promoted else f"./rapport models promote {version.name} {version.version}"
    return f"{version.name} {version.version}: {follow}"


async def roll_back(version: Version, before: ModelPromoted, settings: Settings) -> ModelPromoted:
    """`version`, the last of `before.earlier`, answers again."""
    return await _publish(version, before.earlier[:-1], settings)


async def withdraw(name: str, settings: Settings) -> None:
    """No version of `name` is promoted any more: what the settings name answers. Raises `UnavailableError`."""
    await _send(name, None, settings)


async def _publish(version: Version, earlier: list[str], settings: Settings) -> ModelPromoted:
    event = ModelPromoted(
        model=version.name,
        version=version.version,
        location=str(version.folder),
        metrics=dict(version.metrics),
        earlier=earlier,
    )
    await _send(version.name, event, settings)
    return event


async def _send(name: str, event: ModelPromoted | None, settings: Settings) -> None:
    await ensure_topics(settings.kafka, [topic_named(TOPIC)])
    producer = EventProducer("registry", settings.kafka)
    await producer.start()
    try:
        await producer.send(Outgoing(TOPIC, name, event, str(uuid.uuid4()), settings.tenant))
    finally:
        await producer.stop()
