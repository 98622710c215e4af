"""The fits as whole jobs: read the customers, fit, register. What the commands and the schedule run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from rapport.models.registry import Registry
from rapport.models.versions import Version
from services.profiler.bootstrap import rules_of
from services.profiler.segments.model import LinearSegments
from services.profiler.settings import ProfilerSettings
from services.profiler.training import corrections
from services.profiler.training.lifetime import FittedLifetime, Histories, fit_lifetime, histories
from services.profiler.training.names import LIFETIME, TASTE, TYPE
from services.profiler.training.publishing import promoted_version
from services.profiler.training.segments import fit_customer_types, fit_tastes
from services.profiler.training.states import known_customers

T = TypeVar("T")


async def train_segments(settings: ProfilerSettings) -> Version:
    """Clusters, named as those that are promoted now where they are the same. Raises `StateConflict` for too few."""
    customers = await known_customers(settings, settings.tenant)
    now = await promoted_version(TASTE, settings)
    before = LinearSegments.load(now.folder, now.version) if now else None
    rules = rules_of(settings.profiler)
    fitted = await asyncio.to_thread(_alone, lambda: fit_tastes(customers, before, rules))
    criterion = {str(k): round(score, 4) for k, score in fitted.criterion.items()}
    return Registry(settings.models.cache).make(
        lambda folder: fitted.model.save(folder, silhouette_by_k=criterion),
        name=TASTE,
        kind="segments",
        metrics=fitted.metrics,
        requires={"encoder": fitted.model.encoder},
    )


async def train_types(settings: ProfilerSettings, labels: Mapping[str, str]) -> Version:
    """Customer types from RFM rules, `labels` (by customer id) and those that the promoted version was corrected with.

    Raises `StateConflict` for too few customers.
    """
    customers = await known_customers(settings, settings.tenant)
    now = await promoted_version(TYPE, settings)
    kept = corrections.updated(corrections.load(now.folder) if now else {}, labels)
    corrected = corrections.labels_of(customers, kept)
    fitted = await asyncio.to_thread(_alone, lambda: fit_customer_types(customers, corrected))
    metrics = {"accuracy": round(fitted.accuracy, 4), "calibration_error": round(fitted.calibration_error, 4)}

    def save(folder: Path) -> None:
        fitted.model.save(folder, customers=dict(fitted.counts))
        corrections.save(folder, kept)

    return Registry(settings.models.cache).make(
        save,
        name=TYPE,
        kind="segments",
        metrics=metrics | {"corrected": float(len(corrected)), "customers": float(sum(fitted.counts.values()))},
    )


async def train_lifetime(settings: ProfilerSettings, horizon_days: float) -> Version:
    """BG/NBD and Gamma-Gamma from every customer's orders. Raises `StateConflict` when too few have bought."""
    customers = await known_customers(settings, settings.tenant)
    known = histories(list(customers.values()))
    # In a process that ends afterwards, and gives back what the library takes: some hundred megabytes.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        fitted = await asyncio.get_running_loop().run_in_executor(pool, _fit_lifetime, known, horizon_days)
    return Registry(settings.models.cache).make(
        fitted.model.save, name=LIFETIME, kind="lifetime", metrics=fitted.metrics
    )


def _fit_lifetime(known: Histories, horizon_days: float) -> FittedLifetime:
    return _alone(lambda: fit_lifetime(known, horizon_days))


def _alone(fit: Callable[[], T]) -> T:
    """On one core: the others belong to the event path."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return fit()
