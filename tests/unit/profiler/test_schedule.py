"""What the analyst fits by itself, and when."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rapport.models.versions import Manifest, Version
from rapport.ops.errors import StateConflict
from services.profiler.insights import schedule
from services.profiler.insights.bootstrap import AnalystSettings, fits
from services.profiler.insights.schedule import Job, Schedule
from services.profiler.settings import ProfilerSection

FITTED = Version(
    Path(), Manifest(name="tastes", version="1", kind="segments", created_at=datetime(2026, 1, 1, tzinfo=UTC), files={})
)


def settings(**own: float) -> AnalystSettings:
    return AnalystSettings(profiler=ProfilerSection.model_validate(own))


def test_churn_and_value_wait_until_everything_has_started_but_never_longer_than_asked() -> None:
    usual = {job.name: job for job in fits(settings())}
    assert (usual["value"].every_s, usual["value"].later_s) == (86_400, 1_800)
    hasty = {job.name: job for job in fits(settings(value_refit_minutes=2))}
    assert (hasty["value"].every_s, hasty["value"].later_s) == (120, 120)
    assert usual["segments"].later_s == 0


async def test_a_fit_that_lacks_customers_is_tried_again_and_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_LOOK_S", 0.001)
    monkeypatch.setattr(schedule, "_AGAIN_S", 0.001)
    promoted, tries, enough = asyncio.Event(), Counter[str](), asyncio.Event()

    async def promote(version: Version, _: object) -> None:
        assert version is FITTED
        promoted.set()

    monkeypatch.setattr(schedule, "promote", promote)

    def fit(name: str, outcome: Callable[[], Awaitable[Version]]) -> Job:
        async def run() -> Version:
            tries[name] += 1
            return await outcome()

        return Job(name, 3600.0, run)

    async def too_few() -> Version:
        if tries["types"] > 2:
            enough.set()
        raise StateConflict("3 customers", fix="wait for more")

    async def done() -> Version:
        return FITTED

    lease: Any = SimpleNamespace(held=True)
    part = Schedule([fit("types", too_few), fit("tastes", done)], lease, settings(), 0.0)
    await part.start()
    async with asyncio.timeout(30):
        await enough.wait()
        await promoted.wait()
    await part.stop()
    assert tries["types"] > 2
    assert tries["tastes"] == 1
