"""The candidates of one answer as columns: what each source says of each product, and the score.

Arrays rather than objects: of some hundred candidates ten are shown, and only those need reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rapport.events.recommendations import ReasonKind
from services.recommender.domain.sources.source import Evidence, Finds, Floats

Places = npt.NDArray[np.intp]
_weight = itemgetter(1)


class Share(NamedTuple):
    """What one source says of one product."""

    kind: ReasonKind
    score: float
    """0 to 1."""
    weight: float
    """Share of the score of the fixed weights."""
    evidence: Callable[[], Evidence]


class _Said:
    """What one source says."""

    __slots__ = ("finds", "parts", "scores", "weight", "which")

    def __init__(self, finds: Finds, weight: float, place: Mapping[str, int], count: int) -> None:
        at = np.fromiter(map(place.__getitem__, finds.product_ids), np.intp, len(finds))
        self.finds, self.weight = finds, weight
        self.scores = np.zeros(count)
        self.which = np.full(count, -1)
        """The number of its find for each place."""
        self._write(at, np.arange(len(at)))
        if np.count_nonzero(self.which >= 0) < len(at):
            # Of several finds of a product the last one written stays: the highest score, the first of equal ones.
            order = np.argsort(-finds.scores, kind="stable")[::-1]
            self._write(at[order], order)
        self.parts = weight * self.scores
        """What it adds to the score of the fixed weights."""

    def _write(self, at: Places, numbers: Places) -> None:
        self.scores[at], self.which[at] = self.finds.scores[numbers], numbers


class Pool:
    """Products in the order of their ids, at "places" from 0, with scores that change until the answer is made."""

    def __init__(self, found: Sequence[tuple[ReasonKind, float, Finds]]) -> None:
        """`found`: by source, its weight and what it found."""
        self.product_ids = sorted(set().union(*(finds.product_ids for _, _, finds in found)))
        self.place = {product_id: at for at, product_id in enumerate(self.product_ids)}
        self.scores = np.zeros(len(self.product_ids))
        """[products]."""
        self._said: dict[ReasonKind, _Said] = {}
        for kind, weight, finds in found:
            if len(finds):
                self.add(kind, weight, finds)

    def add(self, kind: ReasonKind, weight: float, finds: Finds) -> None:
        """What one more source says of products that are here; each speaks once."""
        said = self._said[kind] = _Said(finds, weight, self.place, len(self.product_ids))
        self.scores += said.parts

    def only(self, product_ids: Iterable[str]) -> Pool:
        """Those of the products that are here."""
        wanted = set(product_ids)
        found = [(kind, said.weight, said.finds.only(wanted)) for kind, said in self._said.items()]
        return Pool(found)

    def best(self) -> Places:
        """All places, the highest score first; equal scores by id, so that an answer can be repeated."""
        return np.argsort(-self.scores, kind="stable")

    def columns(self, kinds: Sequence[ReasonKind], places: Places) -> tuple[Floats, Floats]:
        """The scores of some sources, [places, kinds], and of how many of them found each place, [places]."""
        scores, found = np.zeros((len(places), len(kinds))), np.zeros(len(places))
        for at, kind in enumerate(kinds):
            said = self._said.get(kind)
            if said is not None:
                scores[:, at] = said.scores[places]
                found += said.which[places] >= 0
        return scores, found

    def kinds(self, place: int) -> list[ReasonKind]:
        """The sources that found it."""
        return [kind for kind, said in self._said.items() if said.which[place] >= 0]

    def shares(self, place: int) -> list[Share]:
        """What each source says of it, the heaviest first."""
        found = [(kind, said.parts.item(place), said) for kind, said in self._said.items() if said.which[place] >= 0]
        found.sort(key=_weight, reverse=True)
        total = sum(map(_weight, found)) or 1.0
        return [
            Share(kind, said.scores.item(place), part / total, partial(said.finds.evidence, said.which.item(place)))
            for kind, part, said in found
        ]

    def candidate(self, place: int) -> Candidate:
        return Candidate(self.product_ids[place], float(self.scores[place]), self, place)


@dataclass(slots=True, eq=False)
class Candidate:
    """A product that may be shown."""

    product_id: str
    score: float = 0.0
    pool: Pool | None = None
    """None: no source found it, it only fills the list."""
    place: int = -1
    propensity: float = 1.0
    """Probability that it stands at its place in the answer."""

    @property
    def kinds(self) -> Sequence[ReasonKind]:
        """The sources that found it."""
        return self.pool.kinds(self.place) if self.pool else ()

    def shares(self) -> Sequence[Share]:
        """What each source says of it, the heaviest first."""
        return self.pool.shares(self.place) if self.pool else ()
