"""What the profiler can be told, beside what every process can."""

from __future__ import annotations

from pydantic import Field

from rapport.ops.settings import Section, Settings


class ProfilerSection(Section):
    need_half_life_hours: float = Field(default=168.0, gt=0)
    """A need loses half of its strength in this time, counted in event time."""
    need_join_cosine: float = Field(default=0.3, ge=-1, le=1)
    """A behaviour this near to a need (cosine after centring) is part of it; a farther one opens a need of its own."""
    affinity_half_life_hours: float = Field(default=720.0, gt=0)
    """As above, for categories, brands and price bands."""
    session_gap_minutes: float = Field(default=30.0, gt=0)
    """A pause longer than this ends the session."""
    cached_texts: int = Field(default=20_000, ge=1)
    """Texts whose vectors are kept in memory; 1.5 kB each with 384 dimensions."""
    copy_check_s: float = Field(default=5.0, gt=0)
    """How often Redis is looked at for lost serving copies."""


class ProfilerSettings(Settings):
    profiler: ProfilerSection = ProfilerSection()
