"""`./rapport train …` for the profiler's models. Heavy imports wait until a command runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rapport.models.versions import Version
    from services.profiler.settings import ProfilerSettings

Promote = Annotated[bool, typer.Option("--promote", help="Have the new version answer at once.")]
Horizon = Annotated[float, typer.Option(min=1, help="How far ahead churn risk and expected value look, in days.")]
Labels = Annotated[
    Path | None,
    typer.Option(
        help="Corrected labels: a CSV file with the columns customer_id and label (none: by the rules again). "
        "Later fits keep them."
    ),
]


def segments(promote: Promote = False) -> None:
    """Fits, registers, and says what was found."""
    from services.profiler.training.jobs import train_segments

    _train(train_segments, promote)


def types(labels: Labels = None, promote: Promote = False) -> None:
    """Fits, registers, and says how well it does on customers that it had not seen."""
    from services.profiler.training.jobs import train_types
    from services.profiler.training.labels import read_labels

    given = read_labels(labels) if labels else {}
    _train(lambda settings: train_types(settings, given), promote)


def value(horizon_days: Horizon = 90.0, promote: Promote = False) -> None:
    """Fits what is to be expected of buyers: orders, churn risk, money."""
    from services.profiler.training.jobs import train_lifetime

    _train(lambda settings: train_lifetime(settings, horizon_days), promote)


def _train(job: Callable[[ProfilerSettings], Awaitable[Version]], promote: bool) -> None:
    from rapport.models.promotions import follow_up
    from services.profiler.settings import ProfilerSettings

    settings = ProfilerSettings.load()

    async def run() -> tuple[Version, str]:
        version = await job(settings)
        return version, await follow_up(version, settings, promoted=promote)

    version, follow = asyncio.run(run())
    for name, value in sorted(version.metrics.items()):
        typer.echo(f"  {name:<24}{value:g}")
    for line in told(version):
        typer.echo(f"  {line}")
    typer.echo(follow)


def told(version: Version) -> list[str]:
    """What people want to read of the version besides its metrics."""
    from services.profiler.segments.model import LinearSegments

    if version.kind != "segments":
        return []
    found = LinearSegments.load(version.folder, version.version)
    return [f"{segment.id}  {segment.name}: {segment.sentence}" for segment in found.segments]
