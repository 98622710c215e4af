"""Fits every source on a shop's histories, judges each beside the simple ones, and fits the winners on everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.recommender.evaluation.figures import per_case
from services.recommender.evaluation.full_ranking import Scorer, rank_all
from services.recommender.evaluation.histories import Histories
from services.recommender.evaluation.report import CHIEF, Line, judged
from services.recommender.evaluation.scorers import ByFactors, ByNeighbours, Popularity
from services.recommender.evaluation.splits import Split
from services.recommender.learned.factors import Factors
from services.recommender.learned.item_item import ItemItem
from services.recommender.training.factors import factors
from services.recommender.training.item_item import cosine, ease, transitions

# Chosen on the validation items of amazon-beauty-5core-letter (tests/bench/recommender_models/README.md).
FADING = 0.7
ITEM_ITEM: Mapping[str, Callable[[Histories], ItemItem]] = {
    "ease": lambda data: ease(data, l2=100.0, fading=FADING),
    "transitions": lambda data: transitions(data, reach=10, shrink=5.0, fading=FADING),
    "item_knn": lambda data: cosine(data, shrink=20.0, fading=FADING),
}


def fit_factors(data: Histories) -> Factors:
    """Matrix factorisation as it is served."""
    return factors(data, width=128, l2=5.0, confidence=40.0, fading=0.6)


@dataclass(frozen=True, slots=True)
class Compared:
    """All models on one split."""

    split: Split
    lines: tuple[Line, ...]
    scorers: Mapping[str, Scorer]

    def figure(self, name: str, figure: str = CHIEF) -> float:
        return next(line.figures[figure].value for line in self.lines if line.name == name)

    def best_item_item(self) -> str:
        """The item–item model with the highest chief figure on the validation cases: one that was chosen by the test
        cases would look better on them than it is."""
        cases = self.split.validation or self.split.test

        def validated(name: str) -> float:
            ranked = rank_all(self.scorers[name], cases, repeats=self.split.repeats)
            return float(per_case(ranked, (10,))[CHIEF].mean())

        return max(ITEM_ITEM, key=validated)


def compared(
    split: Split, of_user: Mapping[int, str], more: Sequence[Callable[[], Scorer]], told: Callable[[str], None]
) -> Compared:
    """Popularity, the item–item models, factors, and `more` (fitted on `split.train` when called) on the test cases."""
    makers: list[Callable[[], Scorer]] = [lambda: Popularity.of(split.train)]
    makers += [_neighbours(name, split.train) for name in ITEM_ITEM]
    makers += [lambda: ByFactors("factors", fit_factors(split.train)), *more]
    lines, scorers = [], {}
    for make in makers:
        began = time.monotonic()
        scorer = make()
        seconds = time.monotonic() - began
        lines.append(judged(scorer, split, of_user, seconds))
        scorers[scorer.name] = scorer
        told(f"{scorer.name}: {CHIEF} {lines[-1].figures[CHIEF].value:.4f}, fitted in {seconds:.1f} s")
    return Compared(split, tuple(lines), scorers)


def _neighbours(name: str, train: Histories) -> Callable[[], Scorer]:
    return lambda: ByNeighbours(name, ITEM_ITEM[name](train))
