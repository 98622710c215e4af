"""rel(p, G): personalised PageRank over the product graph from what the customer looked at, and the path as the reason.

Nodes are products, and what products share: a brand, a category, an attribute. Edges come from the catalogue
(belongs to, complements, replaces) and from behaviour (looked at or bought together). PageRank is linear in where it
starts (Jeh and Widom 2003): each product's walk is followed once for as long as the graph stands, and a customer's is
the weighted sum of those of the products that they looked at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from services.recommender.domain.walks import Floats, Ints, Walk

# A node with more neighbours is not followed: each of them gets next to nothing, and all of them take milliseconds.
_MOST_FOLLOWED = 1000
# Mass on a product at which it counts by half: a direct neighbour of one of five seeds with twenty neighbours has it.
_HALF_AT = 0.01
# A place for every product is filled quicker than those reached are sorted, up to so many products for each of them.
_DENSE_BELOW = 4
# Walks that are kept, some 13 kB each. What shoppers look at just now is looked at again, by them and by others.
_WALKS_KEPT = 2000
# What a product's name among the nodes of a path begins with.
_PRODUCT = "p:"


class Related:
    """The products that most of a customer's walk ends at, the nearest first."""

    def __init__(self, graph: ProductGraph, places: Ints, scores: Floats, walks: Sequence[tuple[Walk, float]]) -> None:
        """`scores`: [places], 0 to 1. `walks`: of the products looked at, with the weight of each."""
        self.product_ids = [graph.product_at(place) for place in places.tolist()]
        self.scores = scores
        self._graph, self._places, self._walks = graph, places, walks

    def path(self, at: int) -> tuple[str, ...]:
        """The heaviest way to the product at `at` from the one that adds most to it, as nodes: `p:<product>`,
        `brand:…`, `category:…`, …"""
        place = int(self._places[at])
        walk, _ = max(self._walks, key=lambda pair: pair[0].mass_of.get(place, 0.0) * pair[1])
        return walk.path(self._graph, place)


class ProductGraph:
    """Never changes; a newer one takes its place. Memory: 16 bytes an edge, and the names of the nodes."""

    def __init__(self, product_ids: Sequence[str], concepts: Sequence[str], matrix: sparse.csr_array) -> None:
        """`matrix`: weights [nodes, nodes], symmetric, float32; the products come before the concepts."""
        self._product_ids, self._concepts = product_ids, concepts
        self._place = {product_id: at for at, product_id in enumerate(product_ids)}
        # scipy.sparse builds the rows; its products allocate and check more than a walk of some hundred places costs.
        self._begins: npt.NDArray[Any] = matrix.indptr
        self._others: npt.NDArray[Any] = matrix.indices
        self._weights: npt.NDArray[np.float32] = matrix.data
        self._sums = np.asarray(matrix.sum(axis=1), np.float64).ravel()
        self._walks: OrderedDict[int, Walk] = OrderedDict()

    @property
    def edges(self) -> int:
        """Undirected."""
        return len(self._weights) // 2

    @property
    def nodes(self) -> int:
        return len(self._product_ids) + len(self._concepts)

    def related(self, seeds: Mapping[str, float], limit: int) -> Related:
        """At most `limit` products, not the seeds. `seeds`: product and weight."""
        known = {self._place[seed]: weight for seed, weight in seeds.items() if seed in self._place}
        if not known or not self.edges:
            return Related(self, np.empty(0, np.int64), np.empty(0), ())
        total = sum(known.values())
        walks = [(self._walk(place), weight / total) for place, weight in known.items()]
        reached = np.concatenate([walk.products for walk, _ in walks])
        added = np.concatenate([walk.mass * share for walk, share in walks])
        if len(self._product_ids) < _DENSE_BELOW * len(reached):
            places, mass = np.arange(len(self._product_ids)), np.bincount(reached, added, len(self._product_ids))
            mass[list(known)] = 0.0
        else:
            places, where = np.unique(reached, return_inverse=True)
            mass = np.bincount(where, added, len(places))
            mass[np.isin(places, list(known))] = 0.0
        best = np.argsort(-mass, kind="stable")[:limit]
        best = best[mass[best] > 0]
        places, mass = places[best], mass[best]
        return Related(self, places, mass / (mass + _HALF_AT), walks)

    def product_at(self, place: int) -> str:
        return self._product_ids[place]

    def name_of(self, place: int) -> str:
        """A product's begins with `p:`."""
        products = len(self._product_ids)
        return _PRODUCT + self._product_ids[place] if place < products else self._concepts[place - products]

    def place_of(self, product_id: str) -> int:
        return self._place[product_id]

    def is_product(self, places: Ints) -> npt.NDArray[np.bool_]:
        return places < len(self._product_ids)

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

    def _walk(self, place: int) -> Walk:
        walk = self._walks.get(place)
        if walk is None:
            walk = self._walks[place] = Walk(self, place)
            if len(self._walks) > _WALKS_KEPT:
                self._walks.popitem(last=False)
        else:
            self._walks.move_to_end(place)
        return walk


NO_GRAPH = ProductGraph((), (), sparse.csr_array((0, 0), dtype=np.float32))
