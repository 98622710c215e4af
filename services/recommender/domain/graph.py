"""rel(p, G): personalised PageRank over the product graph from what the customer looked at, and the path as the reason.

Nodes are products, and what products share: a brand, a category, an attribute. Edges come from the catalogue
(belongs to, complements, replaces) and from behaviour (looked at or bought together). The walk restarts at the
customer's products with probability α (Page, Brin, Motwani and Winograd 1999; Haveliwala 2002) and is followed for
three steps, at each of which only the strongest places are kept: past that, less than half of the mass is spread so
thin that no product stands out by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

# The walk's restart probability: at 0.15 to 0.3 published results differ little; higher stays nearer to the seeds.
_RESTART = 0.25
_STEPS = 3
# Places kept after each step.
_KEPT = 512
# A node with more neighbours is not followed: each of them gets next to nothing, and all of them take milliseconds.
_MOST_FOLLOWED = 1000
# Mass on a product at which it counts by half: a direct neighbour of one of five seeds with twenty neighbours has it.
_HALF_AT = 0.01

Floats = npt.NDArray[Any]
Ints = npt.NDArray[Any]
# Products and concepts share one space of names: a product's begins with this.
_PRODUCT = "p:"


@dataclass(frozen=True, slots=True)
class Related:
    product_id: str
    score: float
    """0 to 1."""
    walk: Walk


class ProductGraph:
    """Never changes; a newer one takes its place. Memory: 16 bytes an edge, and the names of the nodes."""

    def __init__(self, names: Sequence[str], matrix: sparse.csr_array) -> None:
        """`names`: of the nodes. `matrix`: weights [nodes, nodes], symmetric, float32."""
        self.names = names
        self._place = {name: at for at, name in enumerate(names)}
        # scipy.sparse builds the rows; its products allocate and check more than a walk of some hundred places costs.
        self._begins: npt.NDArray[Any] = matrix.indptr
        self._others: npt.NDArray[Any] = matrix.indices
        self._weights: npt.NDArray[np.float32] = matrix.data
        self._sums = np.asarray(matrix.sum(axis=1), np.float64).ravel()
        self._products = np.fromiter((name.startswith(_PRODUCT) for name in names), bool, len(names))

    @property
    def edges(self) -> int:
        """Undirected."""
        return len(self._weights) // 2

    def related(self, seeds: Mapping[str, float], limit: int) -> list[Related]:
        """The products that most of the walk ends at, the nearest first; not the seeds. `seeds`: product and weight."""
        known = {
            self._place[_PRODUCT + seed]: weight for seed, weight in seeds.items() if _PRODUCT + seed in self._place
        }
        if not known or not self.edges:
            return []
        walk = self._walk(known)
        places, mass = walk.total()
        keep = self._products[places]
        keep[np.searchsorted(places, [seed for seed in known if seed in places])] = False
        places, mass = places[keep], mass[keep]
        best = np.argsort(-mass, kind="stable")[:limit].tolist()
        return [Related(self.product_at(int(places[at])), float(mass[at] / (mass[at] + _HALF_AT)), walk) for at in best]

    def product_at(self, place: int) -> str:
        return self.names[place].removeprefix(_PRODUCT)

    def place_of(self, product_id: str) -> int:
        return self._place[_PRODUCT + product_id]

    def neighbours(self, place: int) -> tuple[Ints, Floats]:
        """A node's neighbours, and the share of each one's mass that comes here in a step."""
        row = slice(self._begins[place], self._begins[place + 1])
        others = self._others[row].astype(np.int64)
        return others, self._weights[row] / self._sums[others]

    def step(self, places: Ints, mass: Floats) -> tuple[Ints, Floats]:
        """Where mass at some places goes, over their edges by weight; places ascending."""
        followed = self._begins[places + 1] - self._begins[places] <= _MOST_FOLLOWED
        places, mass = places[followed], mass[followed]
        begins = self._begins[places].astype(np.int64)
        counts = self._begins[places + 1] - begins
        ends = np.cumsum(counts)
        at = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(begins - (ends - counts), counts)
        share = np.divide(mass, self._sums[places], out=np.zeros_like(mass), where=self._sums[places] > 0)
        reached, where = np.unique(self._others[at].astype(np.int64), return_inverse=True)
        return reached, np.bincount(where, np.repeat(share, counts) * self._weights[at], len(reached))

    def _walk(self, seeds: Mapping[int, float]) -> Walk:
        places = np.array(sorted(seeds), np.int64)
        mass = np.array([seeds[place] for place in places.tolist()])
        mass /= mass.sum()
        steps = [(places, mass)]
        for _ in range(_STEPS):
            places, mass = self.step(places, mass * (1 - _RESTART))
            if len(places) > _KEPT:
                strongest = np.sort(np.argpartition(mass, -_KEPT)[-_KEPT:])
                places, mass = places[strongest], mass[strongest]
            steps.append((places, mass))
        return Walk(self, steps)


class Walk:
    """One walk: where it was after each step, from which the way to any product follows."""

    def __init__(self, graph: ProductGraph, steps: Sequence[tuple[Ints, Floats]]) -> None:
        self._graph, self._steps = graph, steps

    def total(self) -> tuple[Ints, Floats]:
        """The mass that ends at each place reached after one step or more; places ascending."""
        places = np.concatenate([places for places, _ in self._steps[1:]])
        masses = np.concatenate([mass for _, mass in self._steps[1:]])
        found, where = np.unique(places, return_inverse=True)
        return found, _RESTART * np.bincount(where, masses, len(found))

    def path(self, product_id: str) -> tuple[str, ...]:
        """The heaviest way from a seed to the product, as nodes: `p:<product>`, `brand:…`, `category:…`, …"""
        place = self._graph.place_of(product_id)
        masses = [float(self._at(step, np.array([place]))[0]) for step in range(len(self._steps))]
        step = 1 + int(np.argmax(masses[1:]))
        if not masses[step]:
            return ()
        way = [place]
        while step:
            step -= 1
            others, shares = self._graph.neighbours(way[-1])
            way.append(int(others[int(np.argmax(shares * self._at(step, others)))]))
        return tuple(self._graph.names[each] for each in reversed(way))

    def _at(self, step: int, wanted: Ints) -> Floats:
        """The mass at the wanted places after a step; 0 where the walk was not."""
        places, mass = self._steps[step]
        if not len(places):
            return np.zeros(len(wanted))
        at = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
        return np.where(places[at] == wanted, mass[at], 0.0)


NO_GRAPH = ProductGraph((), sparse.csr_array((0, 0), dtype=np.float32))
