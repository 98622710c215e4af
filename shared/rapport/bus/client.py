"""Where the brokers are and how to talk to them: the arguments that every Kafka client of Rapport shares."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.helpers import create_ssl_context

from rapport.ops.errors import UnavailableError
from rapport.ops.settings import KafkaSettings
from rapport.ops.tasks import uncut

# Messages that wait for each other on the way out, in ms: 1.5 to 2 times the throughput, and too short to notice.
LINGER_MS = 5
# Bytes of one partition that travel together; aiokafka's 16 kB makes a request of every few dozen events.
_BATCH_BYTES = 65_536
# The broker answers a fetch after this many ms though nothing came. aiokafka keeps one fetch a broker in flight, so a
# partition that was being handled when the fetch left waits this long at most.
_FETCH_WAIT_MS = 100
# Largest record that goes to a dead-letter topic, and so through our producers. The broker's request limit is 100 MB.
LARGEST_RECORD_BYTES = 64 * 1024 * 1024


class _Whole:
    """Whole starts and stops: cut midway, aiokafka's clients leave connections open that they do not list yet."""

    async def start(self) -> None:
        await uncut(super().start())  # type: ignore[misc]  # that of aiokafka's client

    async def stop(self) -> None:
        await uncut(super().stop())  # type: ignore[misc]


class _Consumer(_Whole, AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    pass


class _Producer(_Whole, AIOKafkaProducer):  # type: ignore[misc]
    pass


def topic_name(settings: KafkaSettings, name: str) -> str:
    """The topic's name on the broker: prefix and registered name."""
    return settings.topic_prefix + name


def registered_name(settings: KafkaSettings, full_name: str) -> str:
    """The registered name of a topic on the broker."""
    return full_name.removeprefix(settings.topic_prefix)


def group_id(settings: KafkaSettings, group: str) -> str:
    """The consumer group's id on the broker."""
    return settings.group_prefix + group


def connection(settings: KafkaSettings) -> dict[str, Any]:
    """What consumer, producer and admin client have in common: addresses, encryption, credentials."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers.split(","),
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        cafile = str(settings.ssl_cafile) if settings.ssl_cafile else None
        arguments["ssl_context"] = create_ssl_context(cafile=cafile)
    if settings.security_protocol.startswith("SASL"):
        arguments["sasl_mechanism"] = settings.sasl_mechanism
        arguments["sasl_plain_username"] = settings.sasl_username
        password = settings.sasl_password
        arguments["sasl_plain_password"] = password.get_secret_value() if password else None
    return arguments


def reader(settings: KafkaSettings, *topics: str, **more: Any) -> AIOKafkaConsumer:
    """A consumer that sees committed records only and commits nothing by itself. `topics` are broker names."""
    arguments = {
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "fetch_max_wait_ms": _FETCH_WAIT_MS,
    }
    return _Consumer(*topics, **connection(settings), **(arguments | more))


def writer(settings: KafkaSettings, **more: Any) -> AIOKafkaProducer:
    """An idempotent producer: what it retries arrives once and in order."""
    arguments = {
        "enable_idempotence": True,
        "linger_ms": LINGER_MS,
        "max_batch_size": _BATCH_BYTES,
        "max_request_size": LARGEST_RECORD_BYTES,
    }
    return _Producer(**connection(settings), **(arguments | more))


@contextlib.asynccontextmanager
async def admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client for the length of the block. Raises `UnavailableError` when no broker answers."""
    client = AIOKafkaAdminClient(**connection(settings))
    with unavailable(settings):
        try:
            await uncut(client.start())
            yield client
        finally:
            await uncut(client.close())


@contextlib.contextmanager
def unavailable(settings: KafkaSettings) -> Iterator[None]:
    """Turns Kafka's own errors into `UnavailableError`."""
    try:
        yield
    except (KafkaError, OSError) as error:
        raise UnavailableError(
            f"Kafka at {settings.bootstrap_servers}: {error!r}",
            fix="start the broker, or set RAPPORT_KAFKA__BOOTSTRAP_SERVERS",
        ) from error
