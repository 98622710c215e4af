"""From the topic's beginning to trained models that answer: real broker, real Redis, a real worker."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from deploy.local.servers import EmbeddedServers
from rapport.models.promotions import promote, withdraw
from rapport.models.registry import Registry
from rapport.ops.settings import ModelSettings
from rapport.testing import viewed
from services.recommender.learned import trials
from services.recommender.learned.names import FACTORS, ITEM_ITEM, SEQUENCE, TRIAL, of_tenant
from services.recommender.training.reading import from_topics
from services.recommender.training.run import Options, train
from tests.integration.hosting import until
from tests.integration.recommender.conftest import Deployment, deployed
from tests.unit.recommender.goods import GOODS

SOURCES = {"item_item", "factors", "sequence"}


@pytest.fixture
async def deployment(servers: EmbeddedServers, tmp_path: Path) -> AsyncIterator[Deployment]:
    """With a registry of its own."""
    async with deployed(servers, models=ModelSettings(cache=tmp_path)) as made:
        yield made


async def test_models_are_trained_from_the_topic_promoted_and_withdrawn(deployment: Deployment) -> None:
    await deployment.sender.send(*GOODS.values())
    dice, now = random.Random(3), datetime.now(UTC) - timedelta(hours=1)
    shelves = sorted({product_id.rpartition("-")[0] for product_id in GOODS})
    looks = []
    for customer in range(80):
        shelf = [each for each in GOODS if each.startswith(shelves[customer % len(shelves)])]
        seen = dice.sample(shelf, min(4, len(shelf)))
        looks += [viewed(f"c{customer}", each, occurred_at=now + timedelta(minutes=at)) for at, each in enumerate(seen)]
    await deployment.sender.send(*looks)

    data = await from_topics(deployment.settings, deployment.tenant)
    assert len(data.signals) == len(looks)
    registry = Registry(deployment.settings.models.cache)
    result = train(data, registry, Options((ITEM_ITEM, FACTORS, SEQUENCE), epochs=2, threads=1), lambda _: None)
    models = {of_tenant(model, deployment.tenant) for model in (ITEM_ITEM, FACTORS, SEQUENCE)}
    assert {version.name for version in result.versions} == models

    async def named() -> set[str]:
        answers = [await deployment.recommend(f"c{customer}") for customer in range(10)]
        return {kind for answer in answers for item in answer.items for kind in item.source_scores}

    async def without() -> bool:
        return not await named() & SOURCES

    async def with_all() -> bool:
        return await named() >= SOURCES

    assert await without()
    for version in result.versions:
        await promote(version, deployment.settings)
    await until(with_all, 20, deployment.detail)
    for model in models:
        await withdraw(model, deployment.settings)
    await until(without, 20, deployment.detail)


async def test_a_trial_begins_and_ends_without_a_restart(deployment: Deployment) -> None:
    await deployment.sender.send(*GOODS.values())
    arms = [{"id": "control"}, {"id": "fixed", "ranker": "fixed"}]

    def save(folder: Path) -> None:
        (folder / trials.FILE).write_text(json.dumps({"experiment": {"id": "ranker-1", "arms": arms}}))

    registry, name = Registry(deployment.settings.models.cache), of_tenant(TRIAL, deployment.tenant)

    async def part_of(experiment: str) -> bool:
        return (await deployment.recommend("c1")).experiment_id == experiment

    assert await part_of("")
    await promote(registry.make(save, name=name, kind=trials.KIND), deployment.settings)
    await until(partial(part_of, "ranker-1"), 20, deployment.detail)
    await withdraw(name, deployment.settings)
    await until(partial(part_of, ""), 20, deployment.detail)
