"""Kafka and Redis from containers, where a Docker engine answers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence

from deploy.local.settings import REPOSITORY
from rapport.ops.errors import UnavailableError

# A first start pulls two images.
UP_S, STOP_S, ASK_S = 900, 90, 10


def engine_answers() -> bool:
    """True if there is a Docker client with Compose and an engine behind it."""
    if shutil.which("docker") is None:
        return False
    return _succeeds("version", "--format", "{{.Server.Version}}") and _succeeds("compose", "version")


def start_servers(names: Sequence[str], ports: Mapping[str, int]) -> None:
    """Start those of kafka and redis that are named, and return when their health checks pass."""
    published = {"RAPPORT_COMPOSE_KAFKA_PORT": str(ports["kafka"]), "RAPPORT_COMPOSE_REDIS_PORT": str(ports["redis"])}
    _compose("up", "--detach", "--wait", *names, seconds=UP_S, published=published)


def stop_servers() -> None:
    """Stop them; their volumes stay."""
    _compose("stop", "kafka", "redis", seconds=STOP_S)


def remove_servers() -> None:
    """Remove them with all their data."""
    _compose("down", "--volumes", seconds=STOP_S)


def _compose(*arguments: str, seconds: float, published: Mapping[str, str] | None = None) -> None:
    assignments = [f"{name}={value}" for name, value in (published or {}).items()]
    command = ["env", *assignments, "docker", "compose", "--project-directory", str(REPOSITORY), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"docker compose {arguments[0]} did not finish in {seconds} s", fix=_FIX) from error
    if done.returncode != 0:
        reason = " ".join((done.stderr or done.stdout).strip().splitlines()[-2:])
        raise UnavailableError(f"docker compose {arguments[0]}: {reason}", fix=_FIX)


_FIX = "see docker compose logs, or set RAPPORT_LOCAL__PROVIDER=maven to do without Docker"


def _succeeds(*arguments: str) -> bool:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, timeout=ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
