"""What the content service does when nobody waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from rapport.bus.ports import Publisher
from rapport.ops.errors import RapportError
from rapport.ops.metrics import counter
from rapport.ops.parts import Health
from rapport.ops.tasks import Background
from services.content.domain.budget import TokenBudget
from services.content.handlers.experiments import ExperimentHandlers
from services.content.handlers.lines import LineHandlers, Wanted

log = structlog.stdlib.get_logger(__name__)
_PAUSE_S = 1.0


class LineWriter(Background):
    """Has the model word recommendation lines, one after another, within a budget of tokens; as a part."""

    def __init__(self, handlers: LineHandlers, budget: TokenBudget, tokens_a_line: int) -> None:
        self.name = "line-writer"
        self._handlers, self._budget, self._tokens = handlers, budget, tokens_a_line
        self._written = counter("content_lines_by_model", "Recommendation lines that the model worded")

    def health(self) -> Health:
        return replace(super().health(), detail=f"{self._handlers.later.qsize()} lines wait")

    async def _run(self) -> None:
        while True:
            line = await self._handlers.later.get()
            if self._budget.take(self._tokens):
                await self._write(line)
            else:
                # The line keeps the template's words: by the time that there are tokens again, others are asked for.
                await asyncio.sleep(_PAUSE_S)

    async def _write(self, line: Wanted) -> None:
        try:
            if await self._handlers.write(line):
                self._written.inc()
        except RapportError as error:
            log.warning("line not written", error=str(error))
            await asyncio.sleep(_PAUSE_S)


class Referee(Background):
    """Ends experiments whose stopping rule is met, where their plan says so; as a part."""

    def __init__(
        self, handlers: ExperimentHandlers, publisher: Publisher, every_s: float, ready: asyncio.Event
    ) -> None:
        self.name = "referee"
        self._handlers, self._publisher, self._every_s, self._ready = handlers, publisher, every_s, ready

    def health(self) -> Health:
        waiting = "" if self._ready.is_set() else "outcomes not read yet"
        return replace(super().health(), detail=waiting)

    async def _run(self) -> None:
        # Before all outcomes are read, what is there would look like the whole.
        await self._ready.wait()
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._publisher.send_many(self._handlers.by_rule())
            except RapportError as error:
                log.warning("experiments not ended", error=str(error))
