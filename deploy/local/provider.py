"""Where Kafka and Redis come from: an address that was given, else Docker, else Maven, Java and a wheel."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deploy.local import docker
from deploy.local.home import Home
from deploy.local.jars import kafka_jars
from deploy.local.java import find_java
from deploy.local.kafka_server import KafkaServer
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Process, Stage
from deploy.local.readiness import ASK_EVERY_S, is_ready
from deploy.local.redis_server import RedisServer
from deploy.local.settings import LocalSettings, cache_folder
from rapport.ops.errors import UnavailableError
from rapport.ops.settings import KafkaSettings, RedisSettings

SERVED_S = 60


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are, and which processes of ours have to run for that."""

    provider: str
    bootstrap_servers: str
    redis_url: str
    processes: tuple[Process, ...]
    docker: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """Addresses of servers that run elsewhere; none where one of our own is wanted."""

    broker: str | None
    redis: str | None

    @property
    def names(self) -> set[str]:
        """Which of kafka and redis they stand for."""
        return {name for name, address in (("kafka", self.broker), ("redis", self.redis)) if address}


def given_addresses(settings: LocalSettings, broker: str | None, redis: str | None) -> Given:
    """What the command line names, else what the settings name, unless they are left as shipped."""
    in_settings = settings.kafka.bootstrap_servers, settings.redis.url.get_secret_value()
    shipped = KafkaSettings().bootstrap_servers, RedisSettings().url.get_secret_value()
    by_settings = [own if own != default else None for own, default in zip(in_settings, shipped, strict=True)]
    return Given(broker or by_settings[0], redis or by_settings[1])


def choose(settings: LocalSettings, given: Given) -> str:
    """external, docker or maven: external only if both addresses are given."""
    if given.broker and given.redis:
        return "external"
    if settings.local.provider != "auto":
        return settings.local.provider
    return "docker" if docker.engine_answers() else "maven"


def provide(
    settings: LocalSettings,
    home: Home,
    ports: Mapping[str, int],
    given: Given,
    wanted: Sequence[str],
    progress: Callable[[str], None],
) -> Servers:
    """Make those of kafka and redis that are `wanted` ready to be started, or start them, if they are containers."""
    broker, redis = given.broker, given.redis
    provider = choose(settings, given)
    _require_answers(broker, redis)
    bootstrap = broker or f"{LOOPBACK}:{ports['kafka']}"
    url = redis or f"redis://{LOOPBACK}:{ports['redis']}/0"
    if provider == "docker":
        progress(f"starting {' and '.join(wanted)} with Docker")
        docker.start_servers(wanted, ports)
        if "kafka" in wanted:
            _wait_served(bootstrap)
        return Servers("Docker", bootstrap, url, (), docker=True)
    processes = _embedded(wanted, settings, home, ports, progress)
    said = "external" if provider == "external" else "Kafka from Maven's jars, Redis from a wheel"
    return Servers(said, bootstrap, url, tuple(processes))


def _embedded(
    wanted: Sequence[str],
    settings: LocalSettings,
    home: Home,
    ports: Mapping[str, int],
    progress: Callable[[str], None],
) -> list[Process]:
    processes = []
    if "kafka" in wanted:
        java = find_java()
        jars = kafka_jars(cache_folder(), java, progress)
        kafka = KafkaServer(
            java, jars, home.kafka, ports["kafka"], ports["kafka.controller"], settings.local.kafka_heap_mb
        )
        kafka.prepare()
        health = f"kafka://{kafka.address}"
        processes.append(Process("kafka", Stage.SERVER, tuple(kafka.command()), kafka.address, health))
    if "redis" in wanted:
        redis = RedisServer(home.redis, ports["redis"])
        redis.prepare()
        address = f"{LOOPBACK}:{redis.port}"
        processes.append(Process("redis", Stage.SERVER, tuple(redis.command()), address, redis.url))
    return processes


def _require_answers(broker: str | None, redis: str | None) -> None:
    if broker and not is_ready(f"kafka://{broker}"):
        raise UnavailableError(
            f"no broker answers at {broker}", field="--broker", fix="start it or correct the address"
        )
    if redis and not is_ready(redis):
        raise UnavailableError("no Redis answers there", field="--redis", fix="start it or correct the address")


def _wait_served(bootstrap: str) -> None:
    """A container counts as healthy once its port is open, which is seconds before requests are served."""
    deadline = time.monotonic() + SERVED_S
    while not is_ready(f"kafka://{bootstrap}"):
        if time.monotonic() > deadline:
            raise UnavailableError("Kafka does not answer", field="docker", fix="docker compose logs kafka")
        time.sleep(ASK_EVERY_S)
