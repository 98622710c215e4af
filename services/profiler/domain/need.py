"""One interest of a customer: its vector, how strong it is and how long it lasts, its name, and what is behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.profiler.domain.decay import Tally, faded
from services.profiler.domain.observation import Interest
from services.profiler.domain.rules import Rules

Vector = npt.NDArray[np.float32]

_MAX_LABELS, _MAX_EVIDENCE = 4, 5
# A search names a need for as long as no product does: the shop's words for its goods are the tidier ones.
_SEARCH_AS_LABEL = 0.1
# A habit lasts at most this many times as long as a whim: four weeks instead of one.
_LONGEST = 4.0


@dataclass(slots=True, eq=False)
class Need:
    """The formulas are in `needs`."""

    vector: Vector
    """[d], unit length, each number as float16 holds it: so it is the same before and after storing."""
    mass: float
    at: int
    """Event time that the masses are true for: of the newest event in it."""
    labels: Tally
    """Candidates for its name: categories, product names, searches."""
    evidence: list[str]
    """Ids of the last events in it, newest first."""
    text: str
    """The last text behind it, from which a new encoder makes the vector anew."""
    recent: float = 0.0
    """The part of the mass that counts for "now"; fades within hours."""
    since: int = 0
    """Event time of the first event in it."""

    @classmethod
    def begun_by(cls, interest: Interest, vector: Vector, at: int, event_id: str, rules: Rules) -> Need:
        """A need of one text. `vector`: [d], unit length."""
        need = cls(as_half(vector), interest.weight, at, Tally(), [event_id], interest.text, interest.weight, at)
        need.call(interest, at, rules)
        return need

    @property
    def label(self) -> str:
        return self.labels.heaviest()

    def half_life_ms(self, rules: Rules) -> int:
        """h_k: the longer the interest has lasted, the longer it will."""
        begun = self.since or self.at
        return round(rules.need_half_life_ms * min(_LONGEST, 1.0 + (self.at - begun) / rules.need_half_life_ms))

    def mass_at(self, at: int, rules: Rules) -> float:
        """m_k at a later moment."""
        return faded(self.mass, at - self.at, self.half_life_ms(rules))

    def recent_at(self, at: int, rules: Rules) -> float:
        """f_k at a later moment."""
        return faded(self.recent, at - self.at, rules.now_half_life_ms)

    def call(self, interest: Interest, at: int, rules: Rules) -> None:
        """Lets one more text have its say on the label."""
        weight = interest.weight * (_SEARCH_AS_LABEL if interest.asked else 1.0)
        self.labels.add(interest.label, weight, at, rules.need_half_life_ms, _MAX_LABELS)

    def grow(self, interest: Interest, vector: Vector, at: int, event_id: str, rules: Rules) -> None:
        """Takes one more text in."""
        self._mix(vector, faded(interest.weight, self.at - at, self.half_life_ms(rules)), at, rules)
        self._add(interest.weight, at, rules)
        self.text = interest.text
        self.call(interest, at, rules)
        if event_id not in self.evidence:
            self.evidence = [event_id, *self.evidence[: _MAX_EVIDENCE - 1]]

    def weaken(self, interest: Interest, at: int, rules: Rules) -> None:
        """Takes a text's weight, which is negative, away."""
        self._add(interest.weight, at, rules)

    def take_in(self, other: Need, rules: Rules) -> None:
        """Makes one need of two."""
        now = max(self.at, other.at)
        newer, older = (self, other) if self.at >= other.at else (other, self)
        mine, theirs = self.mass_at(now, rules), other.mass_at(now, rules)
        total = np.float32(mine) * self.vector + np.float32(theirs) * other.vector
        length = np.linalg.norm(total)
        vector = as_half(total / length) if length > 0 else self.vector
        evidence = list(dict.fromkeys([*newer.evidence, *older.evidence]))[:_MAX_EVIDENCE]
        recent = self.recent_at(now, rules) + other.recent_at(now, rules)
        self.labels.join(other.labels, rules.need_half_life_ms, _MAX_LABELS)
        self.vector, self.mass, self.recent, self.evidence, self.text = (
            vector,
            mine + theirs,
            recent,
            evidence,
            newer.text,
        )
        self.since, self.at = min(self.since or self.at, other.since or other.at), now

    def _mix(self, vector: Vector, weight: float, at: int, rules: Rules) -> None:
        total = np.float32(self.mass_at(at, rules)) * self.vector + np.float32(weight) * vector
        self.vector = as_half(total / np.linalg.norm(total))

    def _add(self, weight: float, at: int, rules: Rules) -> None:
        late = self.at - at
        mass = self.mass_at(at, rules) + faded(weight, late, self.half_life_ms(rules))
        recent = self.recent_at(at, rules) + faded(weight, late, rules.now_half_life_ms)
        self.since = min(self.since or self.at, at)
        self.mass, self.recent, self.at = mass, max(0.0, recent), max(self.at, at)


def as_half(vector: Vector) -> Vector:
    """Each number as float16 holds it."""
    return vector.astype(np.float16).astype(np.float32)
