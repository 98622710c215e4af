"""The port of a source, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from rapport.events.recommendations import ReasonKind, Strategy
from services.recommender.domain.relevance import score
from services.recommender.domain.situation import Near, Situation

Floats = npt.NDArray[np.floating[Any]]


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
    path: tuple[str, ...] = ()
    """Through the product graph, from a product that the customer looked at: the way is the reason."""


class Found(msgspec.Struct, frozen=True, gc=False):
    product_id: str
    score: float
    """0 to 1, comparable between sources."""
    evidence: Evidence


class Finds:
    """What a source found, as columns: some hundreds for each answer, of which ten are shown. Only of those is it asked
    why (`evidence`, by place)."""

    __slots__ = ("evidence", "product_ids", "scores")

    def __init__(self, product_ids: Sequence[str], scores: Floats, evidence: Callable[[int], Evidence]) -> None:
        """`scores`: [products], 0 to 1, comparable between sources. A product may come more than once: the find with
        the highest score counts, the first of equal ones."""
        self.product_ids, self.scores, self.evidence = product_ids, scores, evidence

    def __len__(self) -> int:
        return len(self.product_ids)

    def __iter__(self) -> Iterator[Found]:
        return map(self.found, range(len(self.product_ids)))

    def only(self, wanted: Collection[str]) -> Finds:
        """Those of some products."""
        kept = [at for at, product_id in enumerate(self.product_ids) if product_id in wanted]
        return Finds([self.product_ids[at] for at in kept], self.scores[kept], lambda at: self.evidence(kept[at]))

    def found(self, at: int) -> Found:
        return Found(self.product_ids[at], float(self.scores[at]), self.evidence(at))


NOTHING = Finds((), np.empty(0), lambda _: Evidence("popular"))


def together(parts: Sequence[Finds]) -> Finds:
    """Several finds of one source as one."""
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    ends = np.cumsum([len(part) for part in parts])

    def evidence(at: int) -> Evidence:
        number = int(np.searchsorted(ends, at, side="right"))
        return parts[number].evidence(at - int(ends[number]) + len(parts[number]))

    product_ids = [product_id for part in parts for product_id in part.product_ids]
    return Finds(product_ids, np.concatenate([part.scores for part in parts]), evidence)


def standing_out(
    kind: ReasonKind, subject: str, near: Near, known: Collection[str], share: float = 1.0, *, looked_at: bool = False
) -> Finds:
    """The products of `near` that stand out from the catalogue, as `Near.standing_out` has it."""
    product_ids, above, notable = near.standing_out(known)

    def evidence(at: int) -> Evidence:
        return Evidence(kind, subject, bool(above[at] >= notable), looked_at=looked_at)

    return Finds(product_ids, share * score(above), evidence)


class Source(Protocol):
    """One way to find candidates. Pure: all it knows is the situation."""

    @property
    def name(self) -> ReasonKind: ...

    @property
    def strategy(self) -> Strategy:
        """What an answer that rests on it is called."""

    def find(self, situation: Situation) -> Finds:
        """Candidates in any order. Unknown, hidden and bought ones are taken out later."""
