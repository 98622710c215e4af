"""The numbers that the profile's mathematics take from the settings."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_MS = 3_600_000
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Durations in milliseconds of event time."""

    need_half_life_ms: int = 168 * HOUR_MS
    now_half_life_ms: int = 2 * HOUR_MS
    affinity_half_life_ms: int = 720 * HOUR_MS
    session_gap_ms: int = 30 * MINUTE_MS
    allowed_lateness_ms: int = 7 * 24 * HOUR_MS
    """An event that is older than the newest one by more than this is counted apart."""
    join_cosine: float = 0.3
    """A behaviour whose centred cosine to a need reaches this joins it."""
    merge_cosine: float = 0.6
    """Two needs whose centred cosine reaches this become one."""
