"""The world is read once: it never changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.demo.adapters.world_files import load_world
from services.demo.domain.plan import Plan
from services.demo.domain.world import World

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def world() -> World:
    return load_world()


@pytest.fixture
def plan() -> Plan:
    return Plan.at_rate(5, START, seed=7, shoppers=400, speed=96)
