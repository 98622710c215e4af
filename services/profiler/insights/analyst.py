"""The analyst's round: ask the models about what was said, look for findings, publish what is new."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Collection, Sequence

import structlog

from rapport.bus.catalog import CatalogView
from rapport.bus.messages import Message, Outgoing
from rapport.bus.producer import EventProducer
from rapport.events.catalog import in_language
from rapport.events.profiles import InsightFound
from rapport.ops.errors import RapportError
from rapport.ops.tasks import Background
from services.profiler.domain.times import utc
from services.profiler.insights.analysis import Analysis, Text
from services.profiler.insights.finding import Finding, Windows
from services.profiler.insights.lease import Lease
from services.profiler.insights.memory import Memory
from services.profiler.insights.naming import TopicNamer
from services.profiler.ports import Aspects, Moods, TextEncoder

log = structlog.stdlib.get_logger(__name__)
# Texts for the models in one call: a few seconds of a busy worker, and others come in between.
_TEXTS_AT_ONCE = 64


class Analyst(Background):
    """A part."""

    name = "insights"

    def __init__(
        self,
        analysis: Analysis,
        catalog: CatalogView,
        encoder: TextEncoder,
        aspects: Aspects,
        moods: Moods,
        namer: TopicNamer,
        producer: EventProducer,
        lease: Lease,
        caught_up: Collection[asyncio.Event],
        windows: Callable[[int], Windows],
        tenant: str,
        every_s: float,
    ) -> None:
        """`caught_up`: set when what was there at the start is known; before, everything would look like news."""
        self._analysis, self._catalog, self._encoder = analysis, catalog, encoder
        self._aspects, self._moods, self._namer = aspects, moods, namer
        self._producer, self._lease, self._caught_up = producer, lease, caught_up
        self._windows, self._tenant, self._every_s = windows, tenant, every_s
        self._memory = Memory()

    async def recall(self, messages: Sequence[Message]) -> None:
        """Of insights.v1: what this analyst, or another one before it, said."""
        for message in messages:
            event = message.event
            if isinstance(event, InsightFound) and message.envelope.tenant == self._tenant:
                at = int(event.period_end.timestamp() * 1000)
                self._memory.recall(event.kind, event.subject, event.size, at, event.data)

    async def round(self) -> list[Finding]:
        """One look. Gives what was published."""
        await self._read()
        analysis = self._analysis
        # Event time, but not beyond the clock: in a quiet shop time passes as well.
        windows = self._windows(max(analysis.now, int(time.time() * 1000) if analysis.now else 0))
        found = [each for each in analysis.findings(windows, self._stock) if self._memory.is_news(each)]
        news = [await self._namer.named(each) for each in found]
        await self._producer.send_many([self._outgoing(finding) for finding in news])
        analysis.forget(windows.before)
        self._memory.forget(windows.before)
        return news

    async def _run(self) -> None:
        for event in self._caught_up:
            await event.wait()
        while True:
            await asyncio.sleep(self._every_s)
            if not self._lease.held:
                continue
            try:
                news = await self.round()
            except RapportError as error:
                self._detail = str(error)
                log.warning("no findings this time", reason=str(error))
            else:
                self._detail = f"{len(news)} findings in the last round"
                for finding in news:
                    log.info("insight", kind=finding.kind, subject=finding.subject, sentence=finding.sentence)

    async def _read(self) -> None:
        waiting = self._analysis.waiting
        while waiting:
            batch: list[Text] = [waiting[at] for at in range(min(_TEXTS_AT_ONCE, len(waiting)))]
            encoded = await self._encoder.encode(dict.fromkeys(text.text for text in batch))
            told = await self._aspects.told({text.text for text in batch if text.judged})
            clauses = [{"": text.text, **told[text.text]} if text.judged else {} for text in batch]
            asked = list(dict.fromkeys(clause for each in clauses for clause in each.values()))
            moods = await self._moods.score(asked) if asked else {}
            self._analysis.topics.begin(encoded.model)
            for text, own in zip(batch, clauses, strict=True):
                # Taken out one by one, after the models have answered: what fails is there for the next round.
                waiting.popleft()
                tones = {aspect: moods[clause] for aspect, clause in own.items()}
                self._analysis.read(text, encoded.vectors[text.text], encoded.background, tones)

    def _stock(self, product_id: str) -> tuple[str, int | None] | None:
        found = self._catalog.named(self._tenant, [product_id]).get(product_id)
        return None if found is None or found.hidden else (in_language(found.title, "en"), found.stock)

    def _outgoing(self, finding: Finding) -> Outgoing:
        told = f"{finding.kind}|{finding.subject}|{finding.end}"
        insight_id = hashlib.blake2b(told.encode(), digest_size=8).hexdigest()
        event = InsightFound(
            occurred_at=utc(finding.end),
            insight_id=insight_id,
            subject=finding.subject,
            kind=finding.kind,
            sentence=finding.sentence,
            size=finding.size,
            confidence=finding.confidence,
            period_start=utc(finding.start),
            period_end=utc(finding.end),
            evidence=finding.evidence,
            data={**finding.data, "direction": finding.direction},
        )
        return Outgoing("insights.v1", finding.subject, event, insight_id, self._tenant)
