"""How much of the exact search the projected index finds, on vectors of real product titles.

    python -m tests.bench.recommender_recall [--data ../shared/data] [--vectors FILE.npz] [--queries 500]

Protocol: the titles of amazon-beauty-titles and the descriptions of uci-online-retail, each once, embedded as passages
by the encoder of the settings; kept in FILE, since that takes minutes. Queries: titles drawn from them, each alone (a
product looked at) and the unit mean of three (a need). The index is told to project from the first product on.
"recall": of the 50 nearest by the exact index, those that the other gives too, in the mean of the queries and in the
worst twentieth. CPU milliseconds a query, in searches of four queries, as an answer has.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from rapport.models.ports import Role
from rapport.ops.settings import Settings
from rapport.serving.loading import load_encoder
from rapport.vectors.exact import ExactIndex
from rapport.vectors.projected import ProjectedIndex
from rapport.vectors.search import SearchIndex
from tests.bench.chatbot_knowledge.retrieval import embed
from tests.bench.figures import Row, report
from tests.bench.recommender_models.datasets import DATA, there

DICE, NEAREST, AT_ONCE = np.random.default_rng(5), 50, 4


def titles(data: Path) -> list[str]:
    with there(data / "amazon-beauty-titles" / "asin_title_joined.tsv").open(encoding="utf-8") as file:
        found = [row["name"] for row in csv.DictReader(file, delimiter="\t") if row["name"]]
    path = there(data / "uci-online-retail" / "online_retail_by_day_concat.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as file:
        found += [row["Description"].strip() for row in csv.DictReader(file) if row["Description"]]
    return list(dict.fromkeys(found))


def vectors_of(data: Path, file: Path) -> np.ndarray:
    """float32 [titles, d], from `file` where it is there."""
    if not file.exists():
        # A title has its gist in the beginning; some go on for pages.
        texts = [title[:120] for title in titles(data)]
        np.savez(file, vectors=embed(texts, Role.PASSAGE, load_encoder(Settings(), ()).backend).astype(np.float16))
    found: np.ndarray = np.load(file)["vectors"].astype(np.float32)
    return found


async def searched(index: SearchIndex, queries: np.ndarray) -> tuple[list[set[str]], float]:
    """The nearest of each query, and CPU milliseconds a query."""
    began, found = time.process_time(), []
    for at in range(0, len(queries), AT_ONCE):
        found += [{hit.id for hit in hits} for hits in await index.search_many(queries[at : at + AT_ONCE], NEAREST)]
    return found, 1000 * (time.process_time() - began) / len(queries)


async def measure(vectors: np.ndarray, count: int) -> list[Row]:
    ids = [f"p{at}" for at in range(len(vectors))]
    exact, projected = ExactIndex(), ProjectedIndex(exact_below=1)
    for index in (exact, projected):
        await index.upsert(ids, vectors)
    drawn = DICE.integers(0, len(vectors), (count, 3))
    rows: list[Row] = []
    for name, queries in (("a product", vectors[drawn[:, 0]]), ("a need of three", vectors[drawn].mean(axis=1))):
        right, exact_ms = await searched(exact, queries)
        found, ms = await searched(projected, queries)
        shares = np.array([len(one & other) / NEAREST for one, other in zip(found, right, strict=True)])
        rows.append(
            {
                "query": name, "vectors": len(vectors), "recall@50": float(shares.mean()),
                "worst 5 %": float(np.percentile(shares, 5)), "exact CPU ms": exact_ms, "projected CPU ms": ms,
            }
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--vectors", type=Path, default=Path("/tmp/title_vectors.npz"))
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with threadpool_limits(1, "blas"):
        report(__doc__ or "", asyncio.run(measure(vectors_of(given.data, given.vectors), given.queries)), given.json)


if __name__ == "__main__":
    main()
