"""What the demo shop can be told, beside what every process can."""

from __future__ import annotations

from pydantic import Field

from rapport.ops.settings import OpsSettings, Section, Settings


class DemoSection(Section):
    rate: float = Field(default=5.0, ge=0, le=10_000)
    """Events a second in the mean. 0: the catalogue, the articles, and no shoppers."""
    seed: int = 1
    """Who the shoppers are and what they like."""
    shoppers: int = Field(default=3000, ge=1, le=1_000_000)
    """Regular ones; guests come besides."""
    speed: float = Field(default=96.0, gt=0)
    """How many times faster than in life parcels travel and tastes drift. 96: a day of the shop in 15 minutes."""


class DemoSettings(Settings):
    demo: DemoSection = DemoSection()
    ops: OpsSettings = OpsSettings(port=9106)
