"""What the learned parts of the profile keep of a customer. All of it follows from the log and the promoted models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Family = Literal["taste", "type", "voice"]
"""taste: found by clustering; type: named by people, learned from labels; voice: named by people, told by what is
written."""

# Scores of one aspect that make its mean; as for the mood, enough to be steady, few enough to turn.
_MAX_SCORES = 8
_MAX_ASPECTS = 10
# A text speaks against no type more strongly than this.
_LEAST_SHARE = 1e-4


@dataclass(slots=True)
class Membership:
    """Of one segment of a family."""

    segment: str
    """Its id, which stays over refits."""
    name: str
    since: int
    """Event time of entering."""
    confidence: float


@dataclass(slots=True)
class Moved:
    """Entering or leaving a segment, to be told with the batch."""

    family: Family
    segment: str
    name: str
    change: Literal["entered", "left"]
    reason: str
    confidence: float
    at: int
    model: str = ""
    """Version; "" when no model moved the customer, but a merge."""


@dataclass(slots=True)
class Visit:
    """What the newest session was made of; starts anew with it."""

    session_id: str = ""
    searches: int = 0
    looks: int = 0
    adds: int = 0
    orders: int = 0


@dataclass(slots=True)
class Buying:
    """What BG/NBD and Gamma-Gamma need of the orders, which the profile's own value does not keep."""

    first_at: int | None = None
    last_at: int | None = None
    orders: int = 0
    counted: int = 0
    """The profile's own number of orders when the last one was counted here: an order told twice does not raise it."""
    spent: float = 0.0
    """In the customer's currency, of the orders after the first one."""


@dataclass(slots=True)
class Learned:
    """One field a part, each with a default: states written before a part existed are read as well."""

    memberships: dict[Family, Membership] = field(default_factory=dict)
    """By family."""
    visit: Visit = field(default_factory=Visit)
    buying: Buying = field(default_factory=Buying)
    aspects: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    """By aspect: event time and score (-1 to 1) of what was said of it last, oldest first."""
    news: list[Moved] = field(default_factory=list)
    """Empty between two batches."""
    aged_to: int = 0
    """Event time until which nothing came, where that was looked at."""
    foreseen: bool = False
    """Whether an outlook was told, should there be orders."""
    voice: dict[str, float] = field(default_factory=dict)
    """By type of customer: mean log-probability of what was written last."""
    texts: int = 0
    """How many there were."""

    def hear(self, shares: Mapping[str, float]) -> None:
        """Something was written that customers of each type write with the probability `shares`."""
        if self.voice.keys() != shares.keys():  # another classifier
            self.voice, self.texts = dict.fromkeys(shares, 0.0), 0
        self.texts += 1
        step = 1 / min(self.texts, _MAX_SCORES)
        for label, share in shares.items():
            self.voice[label] += step * (math.log(max(share, _LEAST_SHARE)) - self.voice[label])

    def judge_aspect(self, aspect: str, score: float, at: int) -> None:
        """Something was said of `aspect`."""
        self.aspects[aspect] = sorted([*self.aspects.get(aspect, ()), (at, score)])[-_MAX_SCORES:]
        if len(self.aspects) > _MAX_ASPECTS:
            del self.aspects[min(self.aspects, key=lambda name: self.aspects[name][-1][0])]

    def left_behind(self, by: str, at: int) -> Learned:
        """What is told of an id that is `by` from now on: it leaves its segments. All else goes there."""
        reason = f"is {by} by now"
        gone = [
            Moved(family, each.segment, each.name, "left", reason, 1.0, at) for family, each in self.memberships.items()
        ]
        return Learned(news=[*self.news, *gone])

    def merged_with(self, other: Learned, other_id: str, when: int) -> Learned:
        """After an identity merge: `self` is the known customer, whose memberships stand."""
        mine, theirs = self.visit, other.visit
        merged = Learned({**other.memberships, **self.memberships}, self.visit, _together(self.buying, other.buying))
        merged.aged_to, merged.foreseen = max(self.aged_to, other.aged_to), self.foreseen
        merged.voice, merged.texts = self._voice_with(other)
        reason = f"was known as {other_id} so far"
        merged.news = self.news + [
            Moved(family, each.segment, each.name, "entered", reason, each.confidence, when)
            for family, each in other.memberships.items()
            if family not in self.memberships
        ]
        if theirs.session_id == mine.session_id and mine.session_id:
            merged.visit = Visit(
                mine.session_id,
                mine.searches + theirs.searches,
                mine.looks + theirs.looks,
                mine.adds + theirs.adds,
                mine.orders + theirs.orders,
            )
        merged.aspects = {name: list(scores) for name, scores in self.aspects.items()}
        for name, scores in other.aspects.items():
            for at, score in scores:
                merged.judge_aspect(name, score, at)
        return merged

    def _voice_with(self, other: Learned) -> tuple[dict[str, float], int]:
        if not self.texts or not other.texts or self.voice.keys() != other.voice.keys():
            return (dict(self.voice), self.texts) if self.texts else (dict(other.voice), other.texts)
        texts = self.texts + other.texts
        share = other.texts / texts
        return {label: mean + share * (other.voice[label] - mean) for label, mean in self.voice.items()}, texts


def _together(one: Buying, two: Buying) -> Buying:
    firsts = [at for at in (one.first_at, two.first_at) if at is not None]
    lasts = [at for at in (one.last_at, two.last_at) if at is not None]
    return Buying(
        min(firsts, default=None),
        max(lasts, default=None),
        one.orders + two.orders,
        one.counted + two.counted,
        one.spent + two.spent,
    )
