"""A customer as the profiler knows them: all that is kept, and how one event changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from services.profiler.domain.background import Background, Vector
from services.profiler.domain.decay import Tally
from services.profiler.domain.habits import Habits
from services.profiler.domain.learned import Learned
from services.profiler.domain.needs import Spectrum
from services.profiler.domain.observation import Observation
from services.profiler.domain.recent import is_new, touch
from services.profiler.domain.rules import Rules
from services.profiler.domain.session import Session
from services.profiler.domain.speech import Speech
from services.profiler.domain.trail import Step, step_of, too_late_step, walk
from services.profiler.domain.value import Value

DIMENSIONS = ("category", "brand", "price_band", "attribute")
MAX_AFFINITIES = 10  # of a dimension
MAX_RECENT, MAX_PURCHASED, MAX_ANONYMOUS = 20, 50, 16


@dataclass(frozen=True, slots=True)
class Insight:
    """What the models said of a batch's texts."""

    vectors: Mapping[str, Vector]
    """By text: [d], unit length."""
    background: Background
    encoder: str
    """id@revision"""
    moods: Mapping[str, float]
    """By review: -1 to 1."""


@dataclass(slots=True)
class Customer:
    """Everything kept of one customer."""

    first_seen_at: int
    last_seen_at: int
    session: Session
    revision: int = 0
    """Changes that are in it. It depends on the log alone, not on how the log was cut into batches."""
    last_event_id: str = ""
    spectrum: Spectrum = field(default_factory=Spectrum)
    affinities: dict[str, Tally] = field(default_factory=dict)
    """By dimension."""
    value: Value = field(default_factory=Value)
    speech: Speech = field(default_factory=Speech)
    looked_at: dict[str, int] = field(default_factory=dict)
    """Product ids and when."""
    bought: dict[str, int] = field(default_factory=dict)
    anonymous: dict[str, int] = field(default_factory=dict)
    """Anonymous ids that this customer was seen with: what an identity merge starts from."""
    fingerprints: list[int] = field(default_factory=list)
    """Of the last events, to notice a repeated one."""
    linked: int = 0
    """Changes that were no events of this customer's."""
    merged_into: str = ""
    """Who this is by now; all but the address has gone there."""
    merged_at: int = 0
    """Event time of the link that says so."""
    absorbed: dict[str, int] = field(default_factory=dict)
    """Ids whose profiles are part of this one, and when each was last heard of."""
    habits: Habits = field(default_factory=Habits)
    trail: list[Step] = field(default_factory=list)
    """The last events, oldest first."""
    learned: Learned = field(default_factory=Learned)
    """What the observers keep (see `observers`)."""

    @classmethod
    def nobody(cls, at: int) -> Self:
        """Of whom nothing is known yet."""
        return cls(at, at, Session.none(at))

    @property
    def event_count(self) -> int:
        return self.revision - self.linked

    @property
    def now(self) -> int:
        """Event time as of which everything is told: of the newest event, or of the look taken at who stays away."""
        return max(self.last_seen_at, self.learned.aged_to)

    def age(self, at: int) -> bool:
        """Nothing came until `at`; False when something did, or nothing ever was."""
        if not self.event_count or at <= self.now:
            return False
        self.learned.aged_to = at
        self.revision += 1
        self.linked += 1
        return True

    def apply(self, seen: Observation, insight: Insight | None, rules: Rules) -> bool:
        """Takes in one event; False, and nothing changed, when it is in already. No insight: no texts."""
        if not is_new(self.fingerprints, seen):
            return False
        first = not self.event_count
        self.revision += 1
        self.last_event_id = seen.event_id
        self._account(seen)
        if not first and seen.at < self.last_seen_at - rules.allowed_lateness_ms:
            self.habits.too_late += 1
            self._note(too_late_step(seen))
            return True
        late, spoken = not first and seen.at < self.last_seen_at, self.speech.language
        self.habits.late += late
        self.first_seen_at = seen.at if first else min(self.first_seen_at, seen.at)
        self.last_seen_at = seen.at if first else max(self.last_seen_at, seen.at)
        self._visit(seen, rules)
        self.speech.hear(seen.locale, seen.said, seen.at)
        self._remember(seen, rules)
        if insight is not None:
            self._learn(seen, insight, rules)
        mood = insight.moods.get(seen.review) if insight and seen.review else None
        step = step_of(seen, mood)
        if late:
            step.marks["late"] = 1.0
        if self.speech.language != spoken:
            step.marks[f"language:{self.speech.language}"] = 1.0
        self._note(step)
        return True

    def _note(self, step: Step) -> None:
        self.trail = walk(self.trail, [step])

    def _account(self, seen: Observation) -> None:
        if seen.order is not None:
            self.value.place(seen.order, seen.at)
        if seen.refund is not None:
            self.value.give_back(seen.refund)

    def _visit(self, seen: Observation, rules: Rules) -> None:
        before = self.session
        self.session = before.after(seen, rules.session_gap_ms)
        if self.session is not before:
            self.habits.leave(before)
        self.habits.learn(seen, rules)

    def _remember(self, seen: Observation, rules: Rules) -> None:
        if seen.anonymous_id:
            touch(self.anonymous, seen.anonymous_id, seen.at, MAX_ANONYMOUS)
        for product in seen.looked_at:
            touch(self.looked_at, product, seen.at, MAX_RECENT)
        for product in seen.bought:
            touch(self.bought, product, seen.at, MAX_PURCHASED)
        for dimension, value, weight in seen.affinities:
            tally = self.affinities.setdefault(dimension, Tally())
            tally.add(value, weight, seen.at, rules.affinity_half_life_ms, MAX_AFFINITIES)

    def _learn(self, seen: Observation, insight: Insight, rules: Rules) -> None:
        for interest in seen.interests:
            self.spectrum.encoder = insight.encoder
            vector = insight.vectors[interest.text]
            self.spectrum.absorb(interest, vector, insight.background, seen.at, seen.event_id, rules)
        if seen.review is not None:
            self.speech.judge(insight.moods[seen.review], seen.at)
