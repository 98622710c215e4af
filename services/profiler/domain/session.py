"""Sessions: events with gaps of at most half an hour, in event time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from services.profiler.domain.observation import Observation


@dataclass(slots=True)
class Session:
    """The newest session."""

    session_id: str
    started_at: int
    last_at: int
    event_count: int
    stage: int
    """Farthest `Stage`."""
    number: int
    """How many this customer has had, this one included. 0: none yet, and nothing else here means anything."""

    @classmethod
    def none(cls, at: int) -> Self:
        """Before the first event."""
        return cls("", at, at, 0, 0, 0)

    @classmethod
    def begun_by(cls, observation: Observation, number: int) -> Self:
        """A session in which nothing is counted yet."""
        return cls(_name(observation), observation.at, observation.at, 0, observation.stage, number)

    def after(self, observation: Observation, gap_ms: int) -> Session:
        """The newest session once `observation` is known.

        A late event belongs to the newest session if it lies within the gap of it, and may move its beginning back; an
        earlier one belongs to a session that is over, and changes nothing here.
        """
        at = observation.at
        if not self.number:
            return Session.begun_by(observation, 1).after(observation, gap_ms)
        if at > self.last_at + gap_ms:
            return Session.begun_by(observation, self.number + 1).after(observation, gap_ms)
        if at >= self.started_at - gap_ms:
            self.started_at = min(self.started_at, at)
            self.last_at = max(self.last_at, at)
            self.event_count += 1
            self.stage = max(self.stage, observation.stage)
        return self


def _name(observation: Observation) -> str:
    """The shop's own id, else one made of the event that opened it, so that a replay finds the same."""
    if observation.session_id:
        return observation.session_id
    opened_by = f"{observation.source}\n{observation.event_id}".encode()
    return hashlib.blake2b(opened_by, digest_size=8).hexdigest()
