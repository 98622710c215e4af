"""The product graph at a million edges: memory, and what one customer's walk costs beside a library's whole PageRank.

    python -m tests.bench.recommender_graph [--products 100000] [--edges 1000000]

Protocol: generated shop: each product in one of (products / 300) categories, of one of (products / 40) brands, with one
of 1,000 sizes; the rest of the edges are ties of behaviour, their ends drawn by a power law. A walk: from five products
that nobody looked at before, in the mean of 200 draws, 50 candidates, with the paths of the first ten; "known": all of
it again, with the walks of each product still there. Beside it on the same edges: rustworkx.pagerank with the same
personalisation (its compiled power iteration over the whole graph, tolerance 1e-6), and the same by scipy.sparse, 20
rounds. "overlap": products among the first 20 of the walk that are among the first 20 of rustworkx.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import psutil
import rustworkx
from scipy import sparse

from services.recommender.domain.decay import CO_VISITS
from services.recommender.domain.graph import ProductGraph
from services.recommender.domain.graph_building import build
from services.recommender.domain.products import Product
from services.recommender.domain.situation import Tie
from tests.bench.figures import Row, percentile, report

RANDOM = np.random.default_rng(5)
SEEDS, WALKS, WHOLE, TOP, RESTART = 5, 200, 5, 20, 0.25


def shop(products: int, edges: int) -> tuple[list[Product], dict[str, list[Tie]]]:
    """A catalogue and ties that give about so many edges."""
    goods = [
        Product(
            f"p{number}", {"en": f"Product {number}"}, (f"category {number % (products // 300 or 1)}",), True, "",
            brand=f"brand {number // 40}", attributes={"size": f"size {number % 1000}"},
        )
        for number in range(products)
    ]  # fmt: skip
    wanted = max(0, edges - 3 * products)
    ends = np.minimum(RANDOM.zipf(1.5, (2 * wanted, 2)) - 1, products - 1)
    far = RANDOM.integers(0, products, (2 * wanted,))
    ties: dict[str, list[Tie]] = {}
    mark, drawn = CO_VISITS.mark(2.0, 0), 0
    for (one, _), other in zip(ends.tolist(), far.tolist(), strict=True):
        if drawn == wanted:
            break
        low, high = sorted((f"p{one}", f"p{other}"))
        if low != high:
            ties.setdefault(low, []).append(Tie(high, mark))
            drawn += 1
    return goods, ties


def matrix_of(graph: ProductGraph) -> sparse.csr_array:
    """The graph's transition matrix, rows summing to 1, for the peers."""
    rows = [graph.step(np.array([place]), np.ones(1)) for place in range(graph.nodes)]
    begins = np.cumsum([0, *(len(others) for others, _ in rows)])
    others = np.concatenate([others for others, _ in rows])
    return sparse.csr_array((np.concatenate([flow for _, flow in rows]), others, begins), (len(rows), len(rows)))


def main(products: int, edges: int, file: Path | None) -> None:
    goods, ties = shop(products, edges)
    before, began = psutil.Process().memory_info().rss, time.perf_counter()
    graph = build(goods, ties, 0)
    built_s, memory = time.perf_counter() - began, (psutil.Process().memory_info().rss - before) / 1e6
    draws = [[f"p{each}" for each in RANDOM.integers(0, products, SEEDS)] for _ in range(WALKS)]
    found, fresh = _walked(graph, draws)
    _, known = _walked(graph, draws)
    rows: list[Row] = [
        {
            "what": "walks of three steps, paths of ten", "p50 ms": percentile(fresh, 0.5),
            "p99 ms": percentile(fresh, 0.99), "nodes": graph.nodes, "edges": graph.edges, "built s": built_s,
            "MB": memory,
        },
        {"what": "known walks", "p50 ms": percentile(known, 0.5), "p99 ms": percentile(known, 0.99)},
    ]  # fmt: skip
    rows += _peers(graph, draws[:WHOLE], found[:WHOLE])
    report(__doc__ or "", rows, file)


def _walked(graph: ProductGraph, draws: list[list[str]]) -> tuple[list[list[str]], list[float]]:
    """The first products of each draw, and its milliseconds."""
    found, walls = [], []
    for draw in draws:
        began = time.perf_counter()
        related = graph.related(dict.fromkeys(draw, 1.0), 50)
        for at in range(min(10, len(related.product_ids))):
            related.path(at)
        walls.append(1000 * (time.perf_counter() - began))
        found.append(list(related.product_ids[:TOP]))
    return found, walls


def _peers(graph: ProductGraph, draws: list[list[str]], found: list[list[str]]) -> list[Row]:
    flow = matrix_of(graph)
    before = psutil.Process().memory_info().rss
    whole = rustworkx.PyDiGraph()
    whole.add_nodes_from(range(graph.nodes))
    coordinates = flow.tocoo()
    whole.add_edges_from(
        list(zip(coordinates.row.tolist(), coordinates.col.tolist(), coordinates.data.tolist(), strict=True))
    )
    memory = (psutil.Process().memory_info().rss - before) / 1e6
    library, own, overlap = [], [], []
    turned = sparse.csr_array(flow.T)
    for draw, first in zip(draws, found, strict=True):
        seeds = {graph.place_of(seed): 1 / len(draw) for seed in draw}
        began = time.perf_counter()
        ranks = rustworkx.pagerank(whole, alpha=1 - RESTART, personalization=seeds, weight_fn=float, tol=1e-6)
        library.append(1000 * (time.perf_counter() - began))
        best = sorted(
            (place for place in range(graph.nodes) if graph.is_product(np.array(place)) and place not in seeds),
            key=lambda place: -ranks[place],
        )[:TOP]
        overlap.append(len({graph.product_at(place) for place in best} & set(first)))
        began = time.perf_counter()
        start = np.zeros(graph.nodes)
        start[list(seeds)] = 1 / len(draw)
        rank = start.copy()
        for _ in range(20):
            rank = (1 - RESTART) * (turned @ rank) + RESTART * start
        own.append(1000 * (time.perf_counter() - began))
    return [
        {"what": "rustworkx.pagerank, whole graph", "p50 ms": percentile(library, 0.5), "MB": memory,
         "overlap": f"{np.mean(overlap):.1f} of {TOP}"},
        {"what": "scipy.sparse, whole graph, 20 rounds", "p50 ms": percentile(own, 0.5)},
    ]  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    main(given.products, given.edges, given.json)
