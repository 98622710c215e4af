"""Every process of the embedded stack: what runs, with which settings, and how its health is asked."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from deploy.local.ports import LOOPBACK, MODEL_SERVICES
from rapport.ops.settings import ModelSettings
from services.gateway.settings import GatewaySection

# The embedded stack listens on loopback only: fixed keys, unless the settings name some, so that the lines printed by
# `up` work as they stand.
WRITE_KEY, PRIVATE_KEY = "local-write-key", "local-private-key"
# Copy may wait, clicks may not: the others have the cores first. On 2 cores at 50 events a second that makes a tenth of
# the time from a click to its recommendation.
_IN_THE_BACKGROUND = {"content", "content-worker"}
# A core that does nothing but idle-class work counts as free, and whoever wakes up is put there; with niceness alone
# the others queue on the other core meanwhile.
_YIELDING = ("chrt", "--idle", "0") if shutil.which("chrt") else ("nice", "-n", "19")


class Stage(IntEnum):
    """The order of starting; stopping goes the other way."""

    SERVER = 0
    WORKER = 1
    SERVICE = 2
    EDGE = 3
    DEMO = 4


@dataclass(frozen=True, slots=True)
class Process:
    """One supervised process."""

    name: str
    stage: Stage
    command: tuple[str, ...]
    address: str
    """Where others reach it, for people to read."""
    health: str
    """A URL: http (200 means ready), kafka://host:port, redis://host:port/0."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the processes are told about each other."""

    bootstrap_servers: str
    redis_url: str
    ports: Mapping[str, int]
    models: ModelSettings = field(default_factory=ModelSettings)
    keys: GatewaySection = field(default_factory=GatewaySection)
    demo_rate: float | None = None
    demo_seed: int | None = None


def application(wiring: Wiring) -> list[Process]:
    """Workers, services, gateway and demo, in starting order."""
    workers = [_worker(f"{name}-worker", wiring) for name in MODEL_SERVICES]
    services = [_service(name, wiring) for name in MODEL_SERVICES]
    return [*workers, *services, _gateway(wiring), _demo(wiring)]


def _worker(name: str, wiring: Wiring) -> Process:
    own = {"RAPPORT_WORKER__HOST": LOOPBACK, "RAPPORT_WORKER__PORT": str(wiring.ports[name])}
    module = f"services.{name.removesuffix('-worker')}.worker"
    return _process(name, Stage.WORKER, module, f"{LOOPBACK}:{wiring.ports[name]}", wiring, own)


def _service(name: str, wiring: Wiring) -> Process:
    own = {
        "RAPPORT_GRPC__HOST": LOOPBACK,
        "RAPPORT_GRPC__PORT": str(wiring.ports[name]),
        "RAPPORT_WORKER__ADDRESS": f"{LOOPBACK}:{wiring.ports[f'{name}-worker']}",
    }
    if name in ("profiler", "recommender"):
        # The worker that writes copy also names topics and writes what a customer would want next: one language model
        # less in memory.
        own[f"RAPPORT_{name.upper()}__GENERATOR"] = f"{LOOPBACK}:{wiring.ports['content-worker']}"
    return _process(name, Stage.SERVICE, f"services.{name}", f"{LOOPBACK}:{wiring.ports[name]}", wiring, own)


def _gateway(wiring: Wiring) -> Process:
    own = {"RAPPORT_HTTP__HOST": LOOPBACK, "RAPPORT_HTTP__PORT": str(wiring.ports["gateway"])}
    # Keys that the settings name reach the gateway by themselves, through the environment.
    if not wiring.keys.write_keys.get_secret_value():
        own["RAPPORT_GATEWAY__WRITE_KEYS"] = WRITE_KEY
    if not wiring.keys.private_keys.get_secret_value():
        own["RAPPORT_GATEWAY__PRIVATE_KEYS"] = PRIVATE_KEY
    address = f"http://{LOOPBACK}:{wiring.ports['gateway']}"
    return _process("gateway", Stage.EDGE, "services.gateway", address, wiring, own)


def _demo(wiring: Wiring) -> Process:
    own = {}
    if wiring.demo_rate is not None:
        own["RAPPORT_DEMO__RATE"] = str(wiring.demo_rate)
    if wiring.demo_seed is not None:
        own["RAPPORT_DEMO__SEED"] = str(wiring.demo_seed)
    return _process("demo", Stage.DEMO, "services.demo", "-", wiring, own)


def _process(name: str, stage: Stage, module: str, address: str, wiring: Wiring, own: Mapping[str, str]) -> Process:
    ops = wiring.ports[f"{name}.ops"]
    peers = {f"RAPPORT_SERVICES__{peer}".upper(): f"{LOOPBACK}:{wiring.ports[peer]}" for peer in MODEL_SERVICES}
    environment = {
        "RAPPORT_KAFKA__BOOTSTRAP_SERVERS": wiring.bootstrap_servers,
        "RAPPORT_REDIS__URL": wiring.redis_url,
        "RAPPORT_MODELS__SET": wiring.models.set,
        "RAPPORT_MODELS__CACHE": str(wiring.models.cache),
        "RAPPORT_OPS__HOST": LOOPBACK,
        "RAPPORT_OPS__PORT": str(ops),
        # OpenMP's spinning threads take the cores from the other processes: less than half the speed when shared.
        "OMP_WAIT_POLICY": "PASSIVE",
        # numpy's threads spin as well, and its products here are small.
        "OPENBLAS_NUM_THREADS": "1",
        # Everything comes from the cache: a look-up on the network would only delay the start, or hang it offline.
        "HF_HUB_OFFLINE": "1" if wiring.models.set == "tiny" else "0",
        "PYTHONUNBUFFERED": "1",
    }
    health = f"http://{LOOPBACK}:{ops}/health/ready"
    yielding = _YIELDING if name in _IN_THE_BACKGROUND else ()
    command = (*yielding, sys.executable, "-m", module)
    return Process(name, stage, command, address, health, environment | peers | dict(own))
