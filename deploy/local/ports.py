"""Which port each process listens on."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from rapport.ops.errors import ConfigurationError

LOOPBACK = "127.0.0.1"
_LAST_PORT = 65535
MODEL_SERVICES = ("profiler", "recommender", "chatbot", "content")


def default_ports() -> dict[str, int]:
    """Port by name. `<name>.ops` is where a process answers for its health and metrics."""
    ports = {"kafka": 9092, "kafka.controller": 9093, "redis": 6379, "gateway": 8080}
    for number, service in enumerate(MODEL_SERVICES, start=1):
        ports[service] = 50050 + number
        ports[f"{service}-worker"] = 50060 + number
        ports[f"{service}.ops"] = 9100 + number
        ports[f"{service}-worker.ops"] = 9110 + number
    return ports | {"gateway.ops": 9105, "demo.ops": 9106}


def assign_ports(*, offset: int = 0, overrides: Mapping[str, int] | None = None, free: bool = False) -> dict[str, int]:
    """The defaults moved by `offset`, or free ones from the system; then `overrides`, by name."""
    names = default_ports()
    unknown = set(overrides or {}) - set(names)
    if unknown:
        raise ConfigurationError(
            f"no port is named {min(unknown)!r}", field="RAPPORT_LOCAL__PORTS", fix=f"one of {', '.join(names)}"
        )
    if free:
        names = dict(zip(names, free_ports(len(names)), strict=True))
    else:
        names = {name: port + offset for name, port in names.items()}
    names |= dict(overrides or {})
    beyond = next((name for name, port in names.items() if port > _LAST_PORT), None)
    if beyond:
        raise ConfigurationError(f"no port is {names[beyond]} ({beyond})", field="port", fix="move by less")
    return names


def free_ports(count: int) -> list[int]:
    """`count` different ports that the system gave out as free."""
    with ExitStack() as held:
        # All held at once: asked one after the other, the system may hand out the same port twice.
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]


def taken(ports: Iterable[int]) -> list[int]:
    """Those of `ports` that something listens on already."""
    return [port for port in ports if not _can_bind(port)]


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: without it a port that was closed a moment ago counts as taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
