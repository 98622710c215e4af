"""The open shop, as a part: shelves first, then shoppers in real time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from rapport.bus.messages import Outgoing
from rapport.bus.ports import Publisher
from rapport.events.catalog import ProductUpserted
from rapport.events.knowledge import ArticleUpserted
from rapport.events.recommendations import RecommendationMade
from rapport.ops.errors import RetryableError
from rapport.ops.parts import Health
from services.demo.domain.plan import Plan
from services.demo.domain.simulation import simulate
from services.demo.domain.stockroom import Stockroom
from services.demo.domain.storefront import Storefront
from services.demo.domain.world import TimedEvent, World
from services.demo.handlers import publish_backlog, publish_goods, publish_in_time
from services.demo.settings import DemoSection

log = structlog.stdlib.get_logger(__name__)

# How far back the shop looks: an hour (four days of the shop at the usual speed) for orders under way and for visitors
# who are in the middle of a visit, or so many events, whichever is shorter. Simulating 20,000 takes about a second.
_BACKLOG, _BACKLOG_EVENTS = timedelta(hours=1), 60_000
_RETRY_AFTER_S = 1.0
# Days of the shop that a supplier takes.
_DELIVERY_DAYS = 2.0
_RUNS_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def run_name(now: datetime) -> str:
    """Tells the ids of this run from those of another. Digits, because they stand in order numbers."""
    return str(int((now - _RUNS_SINCE).total_seconds()))


def plan_at(demo: DemoSection, now: datetime) -> Plan:
    """For a shop that opens now: begins earlier, so that the rate is reached at once. `demo.rate` is above 0."""
    back = min(_BACKLOG, timedelta(seconds=_BACKLOG_EVENTS / demo.rate))
    return Plan.at_rate(
        demo.rate, now - back, seed=demo.seed, shoppers=demo.shoppers, speed=demo.speed, run=run_name(now)
    )


class Patient:
    """A publisher that does not give up while Kafka is away: the shoppers wait, and nothing of theirs is lost."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.trouble = ""

    async def send_many(self, outgoings: Sequence[Outgoing]) -> None:
        """Tries until it succeeds. The ids stay the same, so what arrives twice is recognised."""
        while True:
            try:
                await self._publisher.send_many(outgoings)
            except RetryableError as error:
                if not self.trouble:
                    log.warning("events wait", error=str(error))
                self.trouble = str(error)
                await asyncio.sleep(_RETRY_AFTER_S)
            else:
                self.trouble = ""
                return


class Shop:
    """Publishes for as long as it runs."""

    name = "shop"

    def __init__(
        self, world: World, articles: Sequence[ArticleUpserted], publisher: Publisher, demo: DemoSection, tenant: str
    ) -> None:
        self._world, self._articles, self._demo, self._tenant = world, articles, demo, tenant
        self._publisher = Patient(publisher)
        self._storefront: Storefront | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once the catalogue and the articles are published."""
        await publish_goods(self._publisher, self._world.catalog, self._articles, self._tenant)
        log.info("shelves filled", products=len(self._world.catalog.products), articles=len(self._articles))
        if self._demo.rate:
            self._task = asyncio.create_task(self._traffic())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def health(self) -> Health:
        if self._task is not None and self._task.done() and not self._task.cancelled():
            return Health(live=False, ready=False, detail=f"traffic ended: {self._task.exception()!r}")
        return Health(detail=self._publisher.trouble)

    async def _traffic(self) -> None:
        demo, now = self._demo, _now()
        plan = plan_at(demo, now)
        simulated = simulate(self._world, plan)
        events = await publish_backlog(self._publisher, simulated, now, self._tenant)
        log.info("open", rate=demo.rate, seed=demo.seed, shoppers=demo.shoppers)
        front = self._storefront = Storefront(self._world, plan)
        stock = Stockroom(self._world.catalog, plan.days(_DELIVERY_DAYS))

        def after(timed: TimedEvent, at: datetime) -> list[TimedEvent]:
            return [*front.after(timed, at), *shelf_events(timed, stock.after(timed.event, at), at)]

        await publish_in_time(self._publisher, events, self._tenant, _now, after)

    def learn(self, customer: str, made: RecommendationMade | None) -> None:
        """What the pages show a customer from now on."""
        if self._storefront is not None:
            self._storefront.learn(customer, made)


def shelf_events(timed: TimedEvent, changed: Sequence[ProductUpserted], at: datetime) -> list[TimedEvent]:
    """The catalogue events for products whose stock has changed by `timed`."""
    return [
        TimedEvent("catalog.v1", product.product_id, product, at, f"{timed.event_id}-stock-{product.product_id}")
        for product in changed
    ]


def _now() -> datetime:
    return datetime.now(UTC)
