"""`./rapport demo`: the demo shop's catalogue, articles and shoppers, to the bus or to files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.output import out
from rapport.ops.errors import InvalidRequest

if TYPE_CHECKING:
    from rapport.bus.producer import EventProducer

app = typer.Typer(no_args_is_help=True, help="The demo shop: catalogue, articles, shoppers.")

Broker = Annotated[str | None, typer.Option(help="host:port; default: the running stack, else the settings.")]
Seed = Annotated[int | None, typer.Option(help="Who the shoppers are; default: the demo's settings.")]
# Visits of a regular shopper a day, in an export: the true rhythm of a shop, not the demo's quick one.
_VISITS_A_DAY = 0.5
_EXPORT_START = datetime(2026, 1, 5, tzinfo=UTC)


@app.command()
def catalog(broker: Broker = None) -> None:
    """Publish the catalogue and the help articles once. Doing it again changes nothing."""
    from services.demo.adapters.article_files import load_articles
    from services.demo.adapters.world_files import load_world
    from services.demo.handlers import publish_goods
    from services.demo.settings import DemoSettings

    world, articles, tenant = load_world(), load_articles(), DemoSettings.load().tenant

    async def publish() -> None:
        async with _producer(broker) as producer:
            await publish_goods(producer, world.catalog, articles, tenant)

    asyncio.run(publish())
    out.print(f"{len(world.catalog.products)} products and {len(articles)} articles published")


@app.command()
def traffic(
    rate: Annotated[float | None, typer.Option(min=0.01, help="Events a second; default: the demo's settings.")] = None,
    seed: Seed = None,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after so many events; default: never.")] = None,
    fast: Annotated[
        bool, typer.Option("--as-fast-as-possible", help="At once, with times up to now; needs --count.")
    ] = False,
    broker: Broker = None,
) -> None:
    """Let shoppers in: their events go to the bus, in real time or at once."""
    from services.demo.adapters.world_files import load_world
    from services.demo.domain.simulation import simulate
    from services.demo.handlers import publish_at_once, publish_in_time
    from services.demo.live import plan_at
    from services.demo.settings import DemoSettings

    if fast and count is None:
        raise InvalidRequest("shoppers come for ever", field="--as-fast-as-possible", fix="say how many: --count 10000")
    settings, now = DemoSettings.load(), datetime.now(UTC)
    given = {"rate": rate or settings.demo.rate or 1.0, "seed": settings.demo.seed if seed is None else seed}
    demo = settings.demo.model_copy(update=given)
    plan = plan_at(demo, now)
    if fast:
        plan = replace(plan, start=now - timedelta(seconds=(count or 0) / demo.rate))
    since = plan.start if fast else now
    simulated = simulate(load_world(), plan)
    events = islice(dropwhile(lambda timed: timed.time < since, simulated), count)

    async def publish() -> None:
        async with _producer(broker) as producer:
            if fast:
                await publish_at_once(producer, events, settings.tenant)
            else:
                await publish_in_time(producer, events, settings.tenant, lambda: datetime.now(UTC))

    asyncio.run(publish())
    out.print(f"{count} events published in {(datetime.now(UTC) - now).total_seconds():.1f} s")


@app.command()
def export(
    folder: Annotated[Path, typer.Option("--out", help="Folder to write to.")],
    seed: Annotated[int, typer.Option(help="Who the shoppers are.")] = 1,
    shoppers: Annotated[int, typer.Option(min=1, help="Regular shoppers.")] = 300,
    days: Annotated[float, typer.Option(min=0.01, help="Days to simulate, with days and nights.")] = 30,
) -> None:
    """Write catalogue, articles and events as JSON lines, and the ground truth beside them."""
    from services.demo.adapters.article_files import load_articles
    from services.demo.adapters.json_lines import export as write
    from services.demo.adapters.world_files import load_world
    from services.demo.domain.plan import Plan

    visits = shoppers * _VISITS_A_DAY / timedelta(days=1).total_seconds()
    plan = Plan(_EXPORT_START, visits, seed, shoppers, rhythm=True)
    entries = write(load_world(), load_articles(), plan, _EXPORT_START + timedelta(days=days), folder)
    for name, number in entries.items():
        what = "shoppers" if name == "ground_truth.json" else "lines"
        out.print(f"{folder / name}  {number} {what}", soft_wrap=True)


@asynccontextmanager
async def _producer(broker: str | None) -> AsyncIterator[EventProducer]:
    from deploy.cli.broker import kafka_settings
    from rapport.bus.producer import EventProducer
    from rapport.bus.topics import ensure_topics
    from rapport.events.topics import TOPICS

    settings = kafka_settings(broker)
    await ensure_topics(settings, TOPICS.values())
    producer = EventProducer("demo", settings)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
