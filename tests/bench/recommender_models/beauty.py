"""Every source alone and the blend on amazon-beauty-5core-letter: `python -m tests.bench.recommender_models.beauty`.

Leave-one-out, full ranking over the 12,101 items, history items out of the ranking. Models are fitted on all but the
last two items of each user, their settings chosen on the last but one; the blend is fitted on that one too; the figures
are of the last.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from services.recommender.evaluation.blending import Candidates, candidates, ranked
from services.recommender.evaluation.full_ranking import Scorer
from services.recommender.evaluation.histories import Floats
from services.recommender.evaluation.report import Line, ahead, judged, line_of, table
from services.recommender.evaluation.scorers import ByFactors, ByFunction, ByNeighbours, Popularity
from services.recommender.evaluation.splits import Split, leave_one_out
from services.recommender.training.factors import factors
from services.recommender.training.item_item import cosine, ease, transitions
from services.recommender.training.ranker import Lists, fit_ranker
from tests.bench.recommender_models.datasets import DATA, beauty

Made = TypeVar("Made")
# Of every model's best that the blend looks at.
DEPTH = 60


def fused(places: Sequence[int], constant: float = 60.0) -> Callable[[Floats], npt.NDArray[np.float64]]:
    """Reciprocal rank fusion (Cormack et al. 2009), Σ 1 / (constant + place), of `place` features, by column."""

    def score(features: Floats) -> npt.NDArray[np.float64]:
        place = 1.0 / np.maximum(features[:, list(places)], 1e-6) - 1.0
        return np.asarray((1.0 / (constant + place)).sum(axis=1), dtype=np.float64)

    return score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument(
        "--sasrec", type=Path, help="a folder made by beauty_sasrec; without it the sequence model is left out"
    )
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    wanted = parser.parse_args()
    split = leave_one_out(beauty(wanted.data).distinct())
    models = simple_models(split)
    if wanted.sasrec:
        models.append((sequence_model(wanted.sasrec), None))
    lines = [judged(model, split, fitted_s=seconds) for model, seconds in models]
    lines += blends([model for model, _ in models[1:]], split)
    print(split.protocol, f"{len(split.test)} cases, {len(split.train.items)} items, full ranking", sep="\n")
    print(table(lines))
    for other in lines[:-1]:
        gained = ahead(lines[-1], other)
        print(
            f"{lines[-1].name} less {other.name}, NDCG@10: {gained.value:+.4f} [{gained.low:+.4f}, {gained.high:+.4f}]"
        )
    if wanted.out:
        wanted.out.write_text(json.dumps([line.plain() for line in lines], indent=1))


def simple_models(split: Split) -> list[tuple[Scorer, float | None]]:
    """Settings chosen on the validation items, see the README."""
    train = split.train
    return [
        (Popularity.of(train), 0.0),
        _timed(lambda: ByNeighbours("item_knn", cosine(train, shrink=20.0, fading=0.6))),
        _timed(lambda: ByNeighbours("ease", ease(train, l2=100.0, fading=0.7))),
        _timed(lambda: ByNeighbours("transitions", transitions(train, reach=10, shrink=5.0, fading=0.8))),
        _timed(lambda: ByFactors("factors", factors(train, width=128, l2=5.0, confidence=40.0, fading=0.6))),
    ]


def sequence_model(folder: Path) -> Scorer:
    from rapport.models.ports import ModelId
    from services.recommender.worker.sasrec.ranking import SequenceModel
    from services.recommender.worker.sasrec.store import load

    return ByFunction("sasrec", SequenceModel(*load(folder), ModelId("sasrec", "bench")).scores)


def blends(models: list[Scorer], split: Split) -> list[Line]:
    """Rank fusion, which learns nothing, and LambdaMART fitted on the validation items, each half of the users judging
    when the trees for the other half end."""
    popularity = split.train.popularity()
    learned_from = candidates(models, split.validation, popularity, DEPTH, repeats=split.repeats)
    half = np.random.default_rng(1).random(len(learned_from.sizes)) < 0.8
    lists = Lists(learned_from.features, learned_from.labels, learned_from.sizes)
    booster, seconds = _timed(lambda: fit_ranker(lists.chosen(half), lists.chosen(~half), learned_from.names))
    asked = candidates(models, split.test, popularity, DEPTH, repeats=split.repeats)
    _print_reach(asked, split)
    places = [at for at, name in enumerate(asked.names) if name.startswith("place ")]
    blended = ranked(asked, split.test, lambda features: np.asarray(booster.predict(features, num_threads=1)))
    plain = ranked(asked, split.test, fused(places))
    return [
        line_of("rank fusion", plain, split, {}, 0.0, 0.0),
        line_of("blend (LambdaMART)", blended, split, {}, 0.0, seconds),
    ]


def _print_reach(asked: Candidates, split: Split) -> None:
    reached = float(np.add.reduceat(asked.labels, np.cumsum(asked.sizes) - asked.sizes).mean())
    print(f"candidates: {asked.sizes.mean():.0f} a case hold {reached:.3f} of {len(split.test)} wanted items")


def _timed(make: Callable[[], Made]) -> tuple[Made, float]:
    began = time.monotonic()
    return make(), time.monotonic() - began


if __name__ == "__main__":
    main()
