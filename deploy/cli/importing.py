"""`./rapport import`: a shop's own files onto the topics."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from deploy.cli.import_report import progress_bar, show
from deploy.cli.output import err
from rapport.ops.errors import InvalidRequest

if TYPE_CHECKING:
    from rapport.bus.messages import Outgoing
    from rapport.events.base import Event
    from rapport.ingest.building import Builder
    from rapport.ingest.importing import Send
    from rapport.ingest.report import Report


class What(StrEnum):
    """What a file holds."""

    CATALOG = "catalog"
    EVENTS = "events"
    ARTICLES = "articles"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class _Run:
    """How to import."""

    dry_run: bool
    limit: int | None
    speed: float | None
    broker: str | None
    refused: Path
    first_version_only: bool


def run(
    what: Annotated[What, typer.Argument(help="What the file holds.")],
    file: Annotated[Path, typer.Argument(help="The file: .csv .tsv .jsonl .parquet, gzipped or not.")],
    event: Annotated[str, typer.Option(help="For events: what a row is (product_viewed, order_completed, …).")] = "",
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="field=Column, e.g. customer=CustomerID; repeat as needed.")
    ] = None,
    constants: Annotated[
        list[str] | None, typer.Option("--set", help="field=value for every row, e.g. currency=GBP.")
    ] = None,
    group_by: Annotated[
        str | None, typer.Option(help="For order lines: the field whose equal, following rows are one order.")
    ] = None,
    time_format: Annotated[str | None, typer.Option(help="strptime format of times that are not ISO 8601.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of times without one, e.g. Europe/London.")] = None,
    speed: Annotated[float | None, typer.Option(min=0.001, help="Replay so many times as fast as it happened.")] = None,
    fast: Annotated[
        bool, typer.Option("--as-fast-as-possible", help="No waiting between events; the default.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, publish nothing.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many rows.")] = None,
    refused: Annotated[
        Path | None, typer.Option(help="Where refused rows go; default: FILE.refused.jsonl here.")
    ] = None,
    broker: Annotated[str | None, typer.Option(help="host:port; default: the running stack.")] = None,
) -> None:
    """Bring in a catalogue, events, articles or orders from CSV, JSON lines or Parquet.

    A field without --map is taken from a column of its own name. The same file imported twice counts once.
    """
    from rapport.ingest.building import Builder
    from rapport.ingest.mapping import mapper
    from rapport.ingest.report import default_refused_path
    from rapport.ops.settings import Settings

    kind = _kind(what, event)
    if group_by and event != "order_completed":
        raise InvalidRequest("only order lines are grouped", field="--group-by", fix="add --event order_completed")
    if speed and fast:
        raise InvalidRequest("contradicts --as-fast-as-possible", field="--speed", fix="give one of them")
    mapped = mapper(columns or [], constants or [], time_format=time_format, zone=timezone)
    builder = Builder(kind, mapped, Settings.load().tenant, group_by)
    how = _Run(dry_run, limit, speed, broker, refused or default_refused_path(file, Path.cwd()), what is What.CATALOG)
    began = time.monotonic()
    report = asyncio.run(_import(file, builder, how))
    show(report, how.refused, time.monotonic() - began, dry_run=dry_run)
    if report.rows and not report.events:
        raise typer.Exit(1)


def _kind(what: What, event: str) -> type[Event]:
    from rapport.events.catalog import ProductUpserted
    from rapport.events.knowledge import ArticleUpserted
    from rapport.events.orders import OrderUpdated
    from rapport.events.topics import TOPICS

    if what is not What.EVENTS:
        whole: dict[What, type[Event]] = {
            What.CATALOG: ProductUpserted,
            What.ARTICLES: ArticleUpserted,
            What.ORDERS: OrderUpdated,
        }
        return whole[what]
    kinds = {kind.event_name: kind for kind in TOPICS["clickstream.v1"].events}
    if event not in kinds:
        raise InvalidRequest(f"no event {event!r}", field="--event", fix=f"one of {', '.join(kinds)}")
    return kinds[event]


async def _import(file: Path, builder: Builder, how: _Run) -> Report:
    from rapport.events.behaviour import Behaviour
    from rapport.ingest.importing import Pace, run_import
    from rapport.ingest.mapping import check_columns
    from rapport.ingest.rows import read_rows

    with progress_bar(file) as (advanced, progressed):
        rows = itertools.islice(read_rows(file, advanced), how.limit)
        first = next(rows, None)
        if first is None:
            raise InvalidRequest(f"{file.name} has no rows", field="FILE")
        if not first.problem:
            check_columns(builder.mapper, first.values)
            if issubclass(builder.kind, Behaviour) and "occurred_at" not in builder.mapper.fields(first.values):
                err.print("no column gives the time: all of it happens now (--map time=COLUMN)")
        with _lazily(how.refused) as log:
            async with contextlib.AsyncExitStack() as stack:
                send = _ignore if how.dry_run else await _producer(stack, how.broker)
                return await run_import(
                    itertools.chain([first], rows),
                    builder,
                    send,
                    pace=Pace(how.speed),
                    first_version_only=how.first_version_only,
                    refused_log=log,
                    progressed=progressed,
                )


async def _ignore(_: Sequence[Outgoing]) -> None:
    """A dry run publishes nothing."""


async def _producer(stack: contextlib.AsyncExitStack, broker: str | None) -> Send:
    from deploy.cli.broker import kafka_settings
    from rapport.bus.producer import EventProducer
    from rapport.bus.topics import ensure_topics
    from rapport.events.topics import TOPICS

    settings = kafka_settings(broker)
    await ensure_topics(settings, TOPICS.values())
    producer = EventProducer("import", settings)
    await producer.start()
    stack.push_async_callback(producer.stop)
    return producer.send_many


@contextlib.contextmanager
def _lazily(path: Path) -> Iterator[TextIO]:
    """A file that is gone again if nothing was written to it."""
    with path.open("w", encoding="utf-8") as log:
        yield log
    if path.stat().st_size == 0:
        path.unlink()
