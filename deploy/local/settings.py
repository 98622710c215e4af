"""What the launcher and the embedded stack can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import Field

from rapport.ops.settings import Section, Settings
from services.gateway.settings import GatewaySection

REPOSITORY = Path(__file__).resolve().parents[2]


class LocalSection(Section):
    provider: Literal["auto", "docker", "maven"] = "auto"
    """Where Kafka and Redis come from when none is given. auto: Docker if its engine answers, else Maven and Java."""
    port_offset: int = Field(default=0, ge=0, le=15_000)
    """Added to every default port, so that two stacks fit on one machine."""
    ports: dict[str, int] = {}
    """A port for single processes, by name: RAPPORT_LOCAL__PORTS='{"gateway": 8088}'."""
    kafka_heap_mb: int = Field(default=512, ge=256)
    """Most memory of the embedded broker's heap, in MB."""
    ready_s: float = Field(default=180.0, gt=0)
    """Longest wait for one process to become ready, in seconds."""


class LocalSettings(Settings):
    """The launcher's settings: every process's, its own section, and the state folder."""

    home: Path = REPOSITORY / ".rapport"
    """RAPPORT_HOME: the folder with all state of the embedded stack."""
    local: LocalSection = LocalSection()
    gateway: GatewaySection = GatewaySection()


def cache_folder() -> Path:
    """Where downloads that any stack can share are kept."""
    return user_cache_path("rapport")
