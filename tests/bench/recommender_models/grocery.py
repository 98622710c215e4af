"""What the product graph adds: `python -m tests.bench.recommender_models.grocery`.

amazon-grocery-rechorus, a temporal split of our own (80 / 10 / 10 % of the interactions), full ranking over 8,713
items, items of the history out of the ranking. Personalised PageRank (power iteration, restart at the latest items)
over co-purchase alone, and over complement, substitute and category edges too; then each beside the learned sources in
a blend with and without the graph, on the same cases. The complement and substitute edges are the shop's own lists as
they were crawled, after the last purchase: they may know of purchases that the split keeps from the models.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, diags

from services.recommender.evaluation.full_ranking import Scorer
from services.recommender.evaluation.histories import Floats, Histories
from services.recommender.evaluation.report import Line, ahead, judged, table
from services.recommender.evaluation.scorers import ByFactors, ByNeighbours, Popularity, faded
from services.recommender.evaluation.splits import Case, Split, temporal
from services.recommender.training.factors import factors
from services.recommender.training.item_item import cosine, ease, transitions
from tests.bench.recommender_models.beauty import blends
from tests.bench.recommender_models.datasets import DATA, Grocery, grocery

# Chance to follow an edge rather than to start again at the customer's items; after four steps 6 % go on.
_FOLLOW, _STEPS, _FADING = 0.5, 4, 0.8
# A category's edges together weigh as one strong tie: else its hundreds of items drown the two that go together.
_CATEGORY = 0.2


@dataclass(frozen=True, slots=True)
class ByGraph:
    """π = (1 - d)·s + d·πP: s the latest items, faded; P the graph's transition probabilities (Haveliwala 2002)."""

    name: str
    transitions: csr_matrix
    items: int

    def scores(self, cases: Sequence[Case]) -> Floats:
        start = faded(cases, self.transitions.shape[0], _FADING)
        start = diags(1.0 / np.maximum(np.asarray(start.sum(axis=1)).ravel(), 1e-9)) @ start
        where = start
        for _ in range(_STEPS):
            where = (1 - _FOLLOW) * start + _FOLLOW * (where @ self.transitions)
            where.data[where.data < 1e-5] = 0.0
            where.eliminate_zeros()
        return np.asarray(where[:, : self.items].todense(), dtype=np.float32)


def graph(train: Histories, data: Grocery, kinds: Sequence[str]) -> csr_matrix:
    """Rows sum to 1. Nodes: items, then categories."""
    number = {item: at for at, item in enumerate(train.items)}
    shelves = sorted(set(data.category.values()))
    size = len(number) + len(shelves)
    seen = train.matrix()
    together = (seen.T @ seen).tocoo()
    off = together.row != together.col
    edges = {"bought": csr_matrix((together.data[off], (together.row[off], together.col[off])), shape=(size, size))}
    for kind, pairs in (("complement", data.complement), ("substitute", data.substitute)):
        rows, columns = np.array([(number[a], number[b]) for a, b in pairs]).T
        edges[kind] = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    item = np.array([number[each] for each in data.category])
    shelf = np.array([len(number) + shelves.index(name) for name in data.category.values()])
    edges["category"] = csr_matrix(
        (np.full(2 * len(item), _CATEGORY), (np.r_[item, shelf], np.r_[shelf, item])), shape=(size, size)
    )
    weights = sum(
        (_spread(edges[kind]) * (_CATEGORY if kind == "category" else 1.0) for kind in kinds), csr_matrix((size, size))
    )
    return _spread(weights)


def _spread(weights: csr_matrix) -> csr_matrix:
    total = np.asarray(weights.sum(axis=1)).ravel()
    return (diags(1.0 / np.where(total > 0, total, 1.0)) @ weights).tocsr()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    data = grocery(parser.parse_args().data)
    split = temporal(data.histories.distinct())
    train, items = split.train, len(split.train.items)
    print(f"{split.protocol}; {len(split.test)} cases, {items} items, full ranking")
    print(f"{len(data.complement)} complement and {len(data.substitute)} substitute edges")
    learned: list[Scorer] = [
        ByNeighbours("item_knn", cosine(train, shrink=20.0, fading=0.8)),
        ByNeighbours("ease", ease(train, l2=100.0, fading=0.8)),
        ByNeighbours("transitions", transitions(train, reach=10, shrink=5.0, fading=0.8)),
        ByFactors("factors", factors(train, width=128, l2=5.0, confidence=40.0, fading=0.8)),
    ]
    ties: dict[str, Sequence[str]] = {
        "graph bought": ("bought",),
        "graph + category": ("bought", "category"),
        "graph complement": ("complement",),
        "graph substitute": ("substitute",),
        "graph all": ("bought", "complement", "substitute", "category"),
    }
    graphs: list[Scorer] = []
    for name, kinds in ties.items():
        began = time.monotonic()
        edges = graph(train, data, kinds)
        graphs.append(ByGraph(name, edges, items))
        print(f"{name}: {edges.nnz} edges, built in {time.monotonic() - began:.1f} s")
    lines = [judged(model, split) for model in (Popularity.of(train), *learned, *graphs)]
    print(table(lines, ("HR@10", "Recall@20", "NDCG@10")))
    whole, own = lines[-1], next(line for line in lines if line.name == "graph + category")
    added = ahead(whole, own)
    print(f"complements and substitutes add to it, NDCG@10: {added.value:+.4f} [{added.low:+.4f}, {added.high:+.4f}]")
    without, with_graph = (
        _blend(learned, split, "blend without graph"),
        _blend([*learned, graphs[-1]], split, "blend with graph"),
    )
    print(table([without, with_graph], ("HR@10", "Recall@20", "NDCG@10")))
    won = ahead(with_graph, without)
    print(f"the graph adds to the blend, NDCG@10: {won.value:+.4f} [{won.low:+.4f}, {won.high:+.4f}]")


def _blend(models: list[Scorer], split: Split, name: str) -> Line:
    return replace(blends(models, split)[-1], name=name)


if __name__ == "__main__":
    main()
