"""What runs: written by `up`, read by `status`, `logs` and `down`, which know no options."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.processes import Process


@dataclass(frozen=True, slots=True)
class Entry:
    """One supervised process as others see it."""

    name: str
    stage: int
    address: str
    health: str


@dataclass(frozen=True, slots=True)
class Record:
    """The stack that was started last."""

    provider: str
    """Where Kafka and Redis come from, for people to read."""
    bootstrap_servers: str
    entries: tuple[Entry, ...]
    docker: bool = False
    """True if containers hold the servers, which `down` then stops as well."""

    def write(self, path: Path) -> None:
        """Keep it for the other commands."""
        path.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The kept one; none if nothing was started from this folder."""
        try:
            kept = json.loads(path.read_text())
            entries = tuple(Entry(**entry) for entry in kept.pop("entries"))
            return cls(entries=entries, **kept)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def address(self, name: str) -> str | None:
        """Where a process can be reached; none if it is not part of this stack."""
        return next((entry.address for entry in self.entries if entry.name == name), None)


def entry_of(process: Process) -> Entry:
    """What of a process the other commands need: not its environment, which may hold passwords."""
    return Entry(process.name, int(process.stage), process.address, process.health)
