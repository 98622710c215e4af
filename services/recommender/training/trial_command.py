"""`./rapport train recommender-trial`."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated

import typer

from rapport.ops.settings import Settings
from services.recommender.learned import names
from services.recommender.learned.trials import FILE, KIND, read
from services.recommender.training.command import Tenant


def trial(
    file: Annotated[Path, typer.Argument(help="What is scored in the shadow, and the experiment, as JSON.")],
    tenant: Tenant = None,
    promote: Annotated[bool, typer.Option("--promote", help="Begin it now.")] = False,
) -> None:
    """Register a trial of rankers. Promoting it begins it, without a restart; rolling it back ends it."""
    from rapport.models.promotions import promote as begin
    from rapport.models.registry import Registry

    settings = Settings.load()
    whose, registry = tenant or settings.tenant, Registry(settings.models.cache)
    for version in sorted(read(file).versions):
        registry.load(names.of_tenant(names.RANKER, whose), version)

    def save(folder: Path) -> None:
        shutil.copyfile(file, folder / FILE)

    made = registry.make(save, name=names.of_tenant(names.TRIAL, whose), kind=KIND)
    typer.echo(f"{made} registered")
    if promote:
        asyncio.run(begin(made, settings))
        typer.echo(f"{made} has begun; it ends with ./rapport models rollback {made.name}")
