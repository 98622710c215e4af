"""Segments of the demo shop against its hidden tastes, and propensity against what visitors then did.

    ./rapport demo export --out shop --seed 1 --shoppers 300 --days 30
    python -m tests.bench.profiler_learning.segments shop [--json FILE]

Protocol: all clickstream events of the export, in order, through the profiler's own handler in one process, with the
real encoder, no models at first; then segments are fitted on the customers as they stand at the end, as on schedule.
Adjusted Rand index of the cluster of each customer (4 events or more, known by name in the ground truth) against the
type of the shopper's last interest; `steady`: of those who had one interest all along. Session propensity: the scores
that were served before each outcome was known (second half of the examples), AUC and calibration error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from rapport.ops.errors import StateConflict
from services.profiler.domain.rules import Rules
from services.profiler.learning.logistic import OnlineLogistic, Rows
from services.profiler.learning.propensity import PropensityObserver
from services.profiler.segments.features import taste
from services.profiler.training.segments import fit_customer_types, fit_tastes
from tests.bench.figures import report
from tests.bench.profiler_learning.replay import LocalModels, Replay


class Watched(OnlineLogistic):
    """Notes what it said before it learned what happened."""

    said: list[tuple[float, float]]

    def learn(self, inputs: Rows, outcomes: Rows) -> None:
        if self.count:
            self.said += zip(self.probabilities(inputs).tolist(), outcomes.tolist(), strict=True)
        OnlineLogistic.learn(self, inputs, outcomes)


def propensity_row(said: Sequence[tuple[float, float]]) -> dict[str, object]:
    late = np.array(said[len(said) // 2 :])
    shares, truth = late[:, 0], late[:, 1]
    bins = np.minimum((shares * 10).astype(int), 9)
    gap = sum(abs(shares[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist()))
    return {
        "what": "session propensity, served before the outcome",
        "of": len(late),
        "figure": f"AUC {roc_auc_score(truth, shares):.3f}, calibration error {gap:.3f}, orders {truth.mean():.1%}",
    }


async def run(folder: Path) -> list[dict[str, object]]:
    observer = PropensityObserver(Rules().session_gap_ms)
    watched = Watched.untaught(len(observer.session.model.weights))
    model = Watched(watched.weights, squares=watched.squares, mean=watched.mean, spread=watched.spread)
    model.said = []
    observer.session.model = model
    replay = Replay(folder, LocalModels(), [observer])
    await replay.run()
    customers, rules = replay.customers(), Rules()
    truth = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))["shoppers"]
    fitted = fit_tastes(customers, None, rules)
    able = [id_ for id_, each in customers.items() if id_ in truth and each.revision >= 4 and each.spectrum.needs]
    vectors = [taste(customers[id_], rules) for id_ in able]
    labels = fitted.model.all_probabilities(np.stack([each for each in vectors if each is not None])).argmax(axis=1)
    table = [_agreement("all", able, labels, truth)]
    steady = [at for at, id_ in enumerate(able) if len(truth[id_]["interests"]) == 1]
    table.append(_agreement("steady", [able[at] for at in steady], labels[steady], truth))
    table.append({"what": "segments found", "of": len(truth), "figure": f"{len(fitted.model.segments)} (hidden: 10)"})
    table += [{"what": each.id, "of": "", "figure": f"{each.name}: {each.sentence}"} for each in fitted.model.segments]
    again = fit_tastes(dict(list(customers.items())[::2]), fitted.model, rules)
    kept = {each.name for each in again.model.segments} & {each.name for each in fitted.model.segments}
    table.append(
        {"what": "names kept by a refit on half of them", "of": len(again.model.segments), "figure": len(kept)}
    )
    try:
        types = fit_customer_types(customers, {})
        said = f"accuracy {types.accuracy:.3f}, calibration error {types.calibration_error:.3f}, {dict(types.counts)}"
        table.append({"what": "customer types on unseen customers", "of": sum(types.counts.values()), "figure": said})
    except StateConflict as error:
        table.append({"what": "customer types", "of": 0, "figure": str(error)})
    table.append(propensity_row(model.said))
    table.append(
        {
            "what": "events/s of the handler, embeddings cached as they come",
            "of": "",
            "figure": round(replay.events / replay.seconds),
        }
    )
    return table


def _agreement(name: str, ids: Sequence[str], labels: Any, truth: Any) -> dict[str, object]:
    hidden = [truth[id_]["interests"][-1]["type"] for id_ in ids]
    figure = f"adjusted Rand index {adjusted_rand_score(hidden, labels):.3f}"
    return {"what": f"segments against hidden types, {name}", "of": len(ids), "figure": figure}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shop", type=Path)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    report(__doc__ or "", asyncio.run(run(given.shop)), given.json)


if __name__ == "__main__":
    main()
