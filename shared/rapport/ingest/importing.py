"""The import itself: rows in, events out in batches, at the speed asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from rapport.bus.messages import Outgoing
from rapport.events.base import Event
from rapport.ingest.building import Builder, Built, Refused
from rapport.ingest.report import Report
from rapport.ingest.rows import Row

Send = Callable[[Sequence[Outgoing]], Awaitable[None]]
# Events sent together; the broker answers once for all of them.
_BATCH = 500
# Most seconds between two sends when replaying slowly, so that events arrive about when they are due.
_SLACK_S = 0.05


@dataclass(frozen=True, slots=True)
class Pace:
    """Replay `speed` times as fast as it happened; None: as fast as possible."""

    speed: float | None

    def delay(self, first: datetime, moment: datetime, started: float) -> float:
        """Seconds to wait until an event of `moment` is due."""
        if self.speed is None:
            return 0.0
        return (moment - first).total_seconds() / self.speed - (time.monotonic() - started)


async def run_import(
    rows: Iterable[Row],
    builder: Builder,
    send: Send,
    *,
    pace: Pace = Pace(None),
    first_version_only: bool = False,
    refused_log: TextIO | None = None,
    progressed: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Imports everything and says what became of it.

    `first_version_only`: of rows about the same key (a product that stands on every order line) the first one counts.
    Raises `UnavailableError` when the broker does not take the events: those reported as published are stored.
    """
    report, waiting = Report(), _Waiting(send)
    seen: set[str] = set()
    first: datetime | None = None
    started = time.monotonic()
    for result in builder.build(rows):
        if isinstance(result, Refused):
            report.refuse(result, refused_log)
            continue
        report.rows += result.rows
        if first_version_only and result.outgoing.key in seen:
            report.repeated_rows += result.rows
            continue
        seen.add(result.outgoing.key) if first_version_only else None
        moment = result.event.occurred_at
        if moment is not None:
            first = first or moment
            wait = pace.delay(first, moment, started)
            if wait > _SLACK_S:
                await waiting.flush()
                await asyncio.sleep(wait)
        await waiting.add(result.outgoing)
        _count(report, result, type(result.event))
        if report.events % _BATCH == 0:
            progressed(report)
    await waiting.flush()
    progressed(report)
    return report


def _count(report: Report, built: Built, kind: type[Event]) -> None:
    report.events += 1
    report.published_rows += built.rows
    report.by_kind[kind.event_name] += 1


class _Waiting:
    """Events that travel together."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._events: list[Outgoing] = []

    async def add(self, outgoing: Outgoing) -> None:
        self._events.append(outgoing)
        if len(self._events) >= _BATCH:
            await self.flush()

    async def flush(self) -> None:
        events, self._events = self._events, []
        if events:
            await self._send(events)
