"""Next baskets: `python -m tests.bench.recommender_models.retail`.

uci-online-retail, temporal split (80 / 10 / 10 % of the lines): for each customer with a history, the next invoice
after the split, whole; full ranking over the catalogue, repeats allowed (a wholesaler's customers buy again).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from services.recommender.evaluation.full_ranking import Scorer
from services.recommender.evaluation.histories import Floats
from services.recommender.evaluation.report import ahead, judged, table
from services.recommender.evaluation.scorers import ByFactors, ByNeighbours, Popularity
from services.recommender.evaluation.splits import Case, temporal
from services.recommender.training.factors import factors
from services.recommender.training.item_item import cosine, ease, transitions
from tests.bench.recommender_models.beauty import blends
from tests.bench.recommender_models.datasets import DATA, retail


@dataclass(frozen=True, slots=True)
class Again:
    """What the customer buys most, lately: how often each item was bought (GP-TopFreq's personal part), then what
    everybody buys."""

    popularity: Floats
    name: str = "own purchases"

    def scores(self, cases: Sequence[Case]) -> Floats:
        rows = np.repeat(np.arange(len(cases)), [len(case.history) for case in cases])
        items = np.concatenate([case.history for case in cases])
        shape = (len(cases), len(self.popularity))
        own = csr_matrix((np.ones(len(items), np.float32), (rows, items)), shape=shape)
        return np.asarray(own.todense() + self.popularity / (self.popularity.max() + 1.0), dtype=np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    whole = retail(parser.parse_args().data)
    split = temporal(whole, repeats=True)
    train = split.train
    size = np.mean([len(case.wanted) for case in split.test])
    print(
        f"{split.protocol}; {len(whole)} lines, {len(train.items)} items, {len(split.test)} baskets of {size:.1f} items"
    )
    models: list[Scorer] = [
        Popularity.of(train),
        Again(train.popularity().astype(np.float32)),
        # Orders are long: the last forty lines are one visit, and fading by lines would forget the one before.
        ByNeighbours("item_knn", cosine(train, shrink=20.0, fading=1.0)),
        ByNeighbours("ease", ease(train, l2=300.0, fading=1.0)),
        ByNeighbours("transitions", transitions(train, reach=10, shrink=5.0, fading=1.0)),
        ByFactors("factors", factors(train, width=64, l2=5.0, confidence=5.0, fading=1.0, bias=0.0)),
    ]
    lines = [judged(model, split) for model in models]
    lines += blends(models[1:], split)
    print(table(lines, ("HR@10", "Recall@10", "Recall@20", "NDCG@10")))
    won = ahead(lines[-1], lines[1], "Recall@10")
    print(f"blend less own purchases, Recall@10: {won.value:+.4f} [{won.low:+.4f}, {won.high:+.4f}]")


if __name__ == "__main__":
    main()
