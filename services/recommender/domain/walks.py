"""One walk through the product graph, from one product.

It restarts with probability α (Page, Brin, Motwani and Winograd 1999; Haveliwala 2002) and is followed for three steps,
at each of which only the strongest places are kept: past that, less than half of the mass is spread so thin that no
product stands out by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

# The walk's restart probability: at 0.15 to 0.3 published results differ little; higher stays nearer to the seeds.
_RESTART = 0.25
_STEPS = 3
# Places kept after each step.
_KEPT = 512
# Products that a walk brings into a customer's: twice what an answer of ten asks for, since several come together.
_PRODUCTS = 128

Floats = npt.NDArray[Any]
Ints = npt.NDArray[Any]


class Steps(Protocol):
    """The graph, as a walk sees it: nodes are numbers."""

    def step(self, places: Ints, mass: Floats) -> tuple[Ints, Floats]:
        """Where mass at some places goes; places ascending."""

    def neighbours(self, place: int) -> tuple[Ints, Floats]:
        """A node's neighbours, and the share of each one's mass that comes here in a step."""

    def is_product(self, places: Ints) -> npt.NDArray[np.bool_]: ...

    def name_of(self, place: int) -> str: ...


class Walk:
    """Where it was after each step, from which the way to any product follows.

    It does not hold the graph, which holds it: an old graph goes with its last answer, not when cycles are collected.
    """

    def __init__(self, graph: Steps, begin: int) -> None:
        self._paths: dict[int, tuple[str, ...]] = {}
        places, mass = np.array([begin], np.int64), np.ones(1)
        # Half the bytes: a walk is kept for long, and three digits of a mass are enough.
        self._steps = [(places.astype(np.int32), mass.astype(np.float32))]
        for _ in range(_STEPS):
            places, mass = graph.step(places, mass * (1 - _RESTART))
            if len(places) > _KEPT:
                strongest = np.sort(np.argpartition(mass, -_KEPT)[-_KEPT:])
                places, mass = places[strongest], mass[strongest]
            self._steps.append((places.astype(np.int32), mass.astype(np.float32)))
        self.products, self.mass = self._total(graph)
        """The products that most of it ends at, places ascending, and the mass there."""

    @cached_property
    def mass_of(self) -> Mapping[int, float]:
        """The same as a mapping."""
        return dict(zip(self.products.tolist(), self.mass.tolist(), strict=True))

    def path(self, graph: Steps, place: int) -> tuple[str, ...]:
        """The heaviest way from the beginning to a place, as names of nodes of the same graph."""
        known = self._paths.get(place)
        if known is None:
            known = self._paths[place] = self._found(graph, place)
        return known

    def _total(self, graph: Steps) -> tuple[Ints, Floats]:
        """The mass that ends at each product after one step or more."""
        places, where = np.unique(np.concatenate([places for places, _ in self._steps[1:]]), return_inverse=True)
        mass = _RESTART * np.bincount(where, np.concatenate([mass for _, mass in self._steps[1:]]), len(places))
        keep = np.flatnonzero(graph.is_product(places))
        if len(keep) > _PRODUCTS:
            keep = np.sort(keep[np.argpartition(mass[keep], -_PRODUCTS)[-_PRODUCTS:]])
        return places[keep], mass[keep].astype(np.float32)

    def _found(self, graph: Steps, place: int) -> tuple[str, ...]:
        masses = [float(self._at(step, np.array([place]))[0]) for step in range(len(self._steps))]
        step = 1 + int(np.argmax(masses[1:]))
        if not masses[step]:
            return ()
        way = [place]
        while step:
            step -= 1
            others, shares = graph.neighbours(way[-1])
            way.append(int(others[int(np.argmax(shares * self._at(step, others)))]))
        return tuple(graph.name_of(each) for each in reversed(way))

    def _at(self, step: int, wanted: Ints) -> Floats:
        """The mass at the wanted places after a step; 0 where the walk was not."""
        places, mass = self._steps[step]
        if not len(places):
            return np.zeros(len(wanted))
        at = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
        return np.where(places[at] == wanted, mass[at], 0.0)
