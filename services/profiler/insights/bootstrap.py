"""Joins the analyst's parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from rapport.bus.catalog import CatalogView
from rapport.bus.messages import Message
from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics
from rapport.bus.view import TopicView
from rapport.ops.parts import Part
from rapport.serving.channel import PeerChannel, WorkerChannel
from rapport.serving.classifier_client import ClassifierClient
from rapport.serving.client import Classified, Embedded, Priority
from rapport.serving.encoder_client import EncoderClient
from rapport.serving.generator_client import GeneratorClient
from rapport.vectors.connection import RedisConnection
from services.profiler.adapters.aspects import ClassifiedAspects
from services.profiler.adapters.encoder import CachedEncoder
from services.profiler.adapters.moods import ClassifiedMoods
from services.profiler.bootstrap import rules_of
from services.profiler.domain.rules import HOUR_MS
from services.profiler.insights.analysis import Analysis
from services.profiler.insights.analyst import Analyst
from services.profiler.insights.finding import Windows
from services.profiler.insights.lease import Lease
from services.profiler.insights.leash import Leash
from services.profiler.insights.naming import TopicNamer
from services.profiler.insights.schedule import Job, Schedule
from services.profiler.settings import ProfilerSettings
from services.profiler.training.jobs import train_lifetime, train_segments, train_types

_SOURCES = ("clickstream.v1", "chat.messages.v1", "segments.v1")
# Nobody waits for the analyst's texts: rather late than never.
_PATIENCE_S = 60.0
# Fitting the value takes half a gigabyte for some seconds: not while everything starts.
_SETTLED_S = 1800.0


class AnalystSettings(ProfilerSettings):
    """The profiler's, which starts it; but the health page's port is the profiler's own."""

    @classmethod
    def load(cls) -> Self:
        """Raises `ConfigurationError`."""
        settings = super().load()
        return settings.model_copy(update={"ops": settings.ops.model_copy(update={"port": 0})})


def fits(settings: AnalystSettings) -> Sequence[Job]:
    """What is fitted on schedule."""
    own = settings.profiler
    value_s = own.value_refit_minutes * 60
    return (
        Job("segments", own.refit_minutes * 60, lambda: train_segments(settings)),
        Job("customer types", own.refit_minutes * 60, lambda: train_types(settings, {})),
        Job("value", value_s, lambda: train_lifetime(settings, own.value_horizon_days), min(_SETTLED_S, value_s)),
    )


def parts(settings: AnalystSettings) -> Sequence[Part]:
    """In starting order."""
    own, rules = settings.profiler, rules_of(settings.profiler)
    redis = RedisConnection(settings.redis)
    channel = WorkerChannel(settings.worker.address, settings.worker.timeout_s)
    writer = PeerChannel("generator", own.generator, settings.worker.timeout_s) if own.generator else None
    producer = EventProducer("profiler-analyst", settings.kafka)
    lease = Lease(redis, settings.tenant)

    analysis, catalog = Analysis(settings.tenant, rules.session_gap_ms), CatalogView()

    async def take(messages: Sequence[Message]) -> None:
        analysis.take(messages)

    async def recall(messages: Sequence[Message]) -> None:
        await analyst.recall(messages)

    views = [TopicView("analyst", "catalog.v1", catalog.apply, settings)]
    views += [TopicView("analyst", topic, take, settings) for topic in _SOURCES]
    views += [TopicView("analyst", "insights.v1", recall, settings)]
    analyst = Analyst(
        analysis,
        catalog,
        CachedEncoder(_Bulk(channel), own.cached_texts),
        ClassifiedAspects(_Bulk(channel)),
        ClassifiedMoods(_Bulk(channel)),
        TopicNamer(GeneratorClient(writer) if writer else None),
        producer,
        lease,
        [view.caught_up for view in views],
        lambda now: Windows(now, round(own.insight_hours * HOUR_MS), round(own.insight_baseline_hours * HOUR_MS)),
        settings.tenant,
        own.insight_every_s,
    )
    schedule = Schedule(fits(settings), lease, settings, own.first_fit_minutes * 60)
    channels = (channel, writer) if writer else (channel,)
    return (Leash(), Topics(settings.kafka), redis, *channels, lease, producer, *views, analyst, schedule)


class _Bulk:
    """The worker's encoder and classifier, behind everybody who waits for an answer."""

    def __init__(self, channel: WorkerChannel) -> None:
        self._encoder, self._classifier = EncoderClient(channel), ClassifierClient(channel)

    async def embed(self, texts: Sequence[str]) -> Embedded:
        return await self._encoder.embed(texts, priority=Priority.BULK, timeout_s=_PATIENCE_S)

    async def classify(self, task: str, texts: Sequence[str]) -> Classified:
        return await self._classifier.classify(task, texts, priority=Priority.BULK, timeout_s=_PATIENCE_S)
