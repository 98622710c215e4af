"""Joins the learned parts: what observes the events, and what follows the promoted models."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rapport.models.promoted import PromotedModels, Use
from rapport.models.versions import Version
from rapport.ops.parts import Part
from rapport.vectors.key_values import KeyValues
from services.profiler.adapters.experience import KeptExperience
from services.profiler.ageing import Clock
from services.profiler.domain.learned import Family
from services.profiler.domain.membership import Thresholds
from services.profiler.domain.rules import Rules
from services.profiler.insights.child import AnalystProcess
from services.profiler.learning.lifetime import Lifetime
from services.profiler.learning.opinions import OpinionObserver
from services.profiler.learning.outlook import OutlookObserver
from services.profiler.learning.propensity import PropensityObserver
from services.profiler.observers import Observer
from services.profiler.ports import Aspects, Moods, Voices
from services.profiler.segments.model import LinearSegments
from services.profiler.segments.observer import SegmentObserver
from services.profiler.segments.voice import VoiceObserver
from services.profiler.settings import ProfilerSettings
from services.profiler.training.names import LIFETIME, TASTE, TYPE


class LearnedParts:
    """`observers` for the handler, in their order; `parts` to start before the consumer; `clock` tells event time."""

    def __init__(
        self, settings: ProfilerSettings, rules: Rules, aspects: Aspects, moods: Moods, voices: Voices, redis: KeyValues
    ) -> None:
        own = settings.profiler
        thresholds = Thresholds(own.segment_enter, own.segment_leave)
        self._segments = SegmentObserver(rules, thresholds)
        self._outlook = OutlookObserver()
        self.clock = Clock()
        opinions = OpinionObserver(aspects, moods)
        propensity = PropensityObserver(rules.session_gap_ms)
        models = {"session": propensity.session.model, "week": propensity.week.model}
        experience = KeptExperience(redis, settings.tenant, models)
        self.observers: Sequence[Observer] = (
            propensity,
            self._outlook,
            opinions,
            VoiceObserver(voices, thresholds),
            self._segments,
            self.clock,
        )
        promoted = PromotedModels("profiler", settings)
        promoted.follow(TASTE, self._follow("taste"))
        promoted.follow(TYPE, self._follow("type"))
        promoted.follow(LIFETIME, self._follow_lifetime)
        self.parts: Sequence[Part] = (promoted, experience, AnalystProcess()) if own.analyst else (promoted, experience)

    def _follow(self, family: Family) -> Use:
        async def use(version: Version | None) -> None:
            model = await asyncio.to_thread(LinearSegments.load, version.folder, version.version) if version else None
            self._segments.use(family, model)

        return use

    async def _follow_lifetime(self, version: Version | None) -> None:
        self._outlook.use(Lifetime.load(version.folder, version.version) if version else None)
