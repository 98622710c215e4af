"""The port of a source, and what it finds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.graph import Walk
from services.recommender.domain.situation import Situation


# Some hundreds of both are made for each answer; structs are made ten times faster than frozen dataclasses, and the
# collector of cycles does not have to look at them.
class Evidence(msgspec.Struct, frozen=True, gc=False):
    """Why a product was found, as facts: what a true reason can be said from."""

    kind: ReasonKind
    subject: str = ""
    """A need's label or a product id."""
    notable: bool = True
    """False: too little to speak of, though enough to score by."""
    shoppers: int = 0
    """Others who did the same; today's shoppers for trending. 0 where not known."""
    bought: bool = False
    """They bought rather than looked."""
    at_ms: int = 0
    """When it arrived."""
    looked_at: bool = False
    """The customer looked at the subject."""
    walk: Walk | None = None
    """Through the product graph; the way to the product is the reason."""


class Found(msgspec.Struct, frozen=True, gc=False):
    product_id: str
    score: float
    """0 to 1, comparable between sources."""
    evidence: Evidence


class Source(Protocol):
    """One way to find candidates. Pure: all it knows is the situation."""

    @property
    def name(self) -> ReasonKind: ...

    @property
    def strategy(self) -> Strategy:
        """What an answer that rests on it is called."""

    def find(self, situation: Situation) -> Iterable[Found]:
        """Candidates in any order, a product at most once. Unknown, hidden and bought ones are taken out later."""
