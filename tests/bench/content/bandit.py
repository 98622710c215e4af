"""Bandit against fixed split on simulated shoppers with known rates.

Protocol: `--runs` seeds for each world; shoppers come one after another, are assigned by the service's own assignment
(GrowthBook's hash over the board's weights), click with their variation's known rate, and are counted by the
service's own board. Regret: clicks lost against always showing the best variation. Right arm: the first shopper from
whom on the best variation has more than half of the weight for the rest of the run. Decided / wrong: the stopping
rule, asked every 100 shoppers, and whether it named another variation than the best. Coverage: of the Wilson
intervals of all arms at the end, and of the confidence sequence of the lift at every look at once.

    python -m tests.bench.content.bandit
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rapport.events.experiments import ExperimentChanged, ExperimentOutcome, ExperimentViewed, VariationInfo
from services.content.domain.experiments.assignment import assign
from services.content.domain.experiments.board import Board
from tests.bench.figures import report

START = datetime(2026, 3, 1, tzinfo=UTC)
LOOK_EVERY = 100


@dataclass(frozen=True, slots=True)
class World:
    """`rates` by segment and variation; `later`: the rates after half of the shoppers, where they change."""

    name: str
    rates: dict[str, Sequence[float]]
    later: dict[str, Sequence[float]] | None = None


WORLDS = (
    World("clear: 4 / 6 / 10 %", {"all": (0.04, 0.06, 0.10)}),
    World("close: 5 / 6 %", {"all": (0.05, 0.06)}),
    World("equal: 5 / 5 %", {"all": (0.05, 0.05)}),
    World("drift: 10 / 4 % then 4 / 10 %", {"all": (0.10, 0.04)}, {"all": (0.04, 0.10)}),
    World("segments: 12 / 4 % and 4 / 12 %", {"runners": (0.12, 0.04), "walkers": (0.04, 0.12)}),
)
MODES = ("fixed", "bandit", "contextual")


@dataclass(slots=True)
class Run:
    regret: float = 0.0
    right_from: int | None = None
    decided_at: int | None = None
    wrong: bool = False
    wilson_hits: int = 0
    wilson_all: int = 0
    sequence_held: bool = True


def simulate(world: World, mode: str, shoppers: int, seed: int, weights_every: int) -> Run:
    """One run. Weights are asked anew every `weights_every` shoppers, as a stream in batches would."""
    chance, board, run = random.Random(seed), Board(), Run()
    arms = len(next(iter(world.rates.values())))
    names = "abcdef"[:arms]
    experiment = ExperimentChanged.model_validate({
        "experiment_id": f"{world.name}/{mode}/{seed}", "content_id": "k", "started_at": START,
        "plan": {"mode": mode, "segments": sorted(world.rates), "half_life_days": 7, "min_customers": 100},
        "variations": [VariationInfo(variation_id=name, author="template") for name in names],
    })  # fmt: skip
    board.define("t", experiment)
    kept: dict[str, list[float]] = {}
    seen, won, shown_best = [0] * arms, [0] * arms, []
    for number in range(shoppers):
        segment = chance.choice(sorted(world.rates))
        rates = (world.later if world.later and number >= shoppers // 2 else world.rates)[segment]
        if number % weights_every == 0:
            kept = {each: board.weights("t", experiment.experiment_id, each) for each in world.rates}
        chosen = names.index(assign(experiment, f"c-{number}", kept[segment]) or names[0])
        at = START + timedelta(minutes=2 * number)
        what = {
            "experiment_id": experiment.experiment_id,
            "variation_id": names[chosen],
            "customer_id": f"c-{number}",
            "segment": segment,
        }
        board.viewed("t", ExperimentViewed(**what, occurred_at=at))
        seen[chosen] += 1
        if chance.random() < rates[chosen]:
            won[chosen] += 1
            board.outcome("t", ExperimentOutcome(**what, metric="click", viewed_at=at, occurred_at=at))
        run.regret += max(rates) - rates[chosen]
        shown_best.append(kept[segment][max(range(arms), key=lambda arm: rates[arm])] > 0.5)
        if (number + 1) % LOOK_EVERY == 0:
            _look(world, board, experiment, number + 1, run)
    wrong = [at for at, best in enumerate(shown_best) if not best]
    run.right_from = wrong[-1] + 1 if wrong and wrong[-1] + 1 < shoppers else (0 if not wrong else None)
    return run


def _look(world: World, board: Board, experiment: ExperimentChanged, number: int, run: Run) -> None:
    found = board.report("t", experiment.experiment_id)
    if world.later is None and len(world.rates) == 1:
        rates = world.rates["all"]
        run.wilson_hits = sum(
            arm.interval[0] <= rate <= arm.interval[1] for arm, rate in zip(found.arms, rates, strict=True)
        )
        run.wilson_all = len(rates)
        for arm, rate in zip(found.arms[1:], rates[1:], strict=True):
            if arm.lift_interval and not arm.lift_interval[0] <= rate - rates[0] <= arm.lift_interval[1]:
                run.sequence_held = False
    if found.decided and run.decided_at is None:
        run.decided_at = number
        rates = world.rates[min(world.rates)]
        run.wrong = len(set(rates)) == 1 or found.leader != "abcdef"[max(range(len(rates)), key=lambda arm: rates[arm])]


def row(world: World, mode: str, runs: Sequence[Run], shoppers: int) -> dict[str, Any]:
    right = [run.right_from for run in runs if run.right_from is not None]
    decided = [run.decided_at for run in runs if run.decided_at is not None]
    covered = sum(run.wilson_all for run in runs)
    plain = world.later is None and len(world.rates) == 1
    return {
        "world": world.name, "mode": mode, "regret": sum(run.regret for run in runs) / len(runs),
        "right arm": f"{len(right)}/{len(runs)}", "median from": sorted(right)[len(right) // 2] if right else "-",
        "decided": f"{len(decided)}/{len(runs)}" if plain else "-",
        "median at": sorted(decided)[len(decided) // 2] if decided and plain else "-",
        "wrong": sum(run.wrong for run in runs) if plain else "-",
        "Wilson coverage": sum(run.wilson_hits for run in runs) / covered if covered else "-",
        "sequence held": f"{sum(run.sequence_held for run in runs)}/{len(runs)}" if plain else "-",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--shoppers", type=int, default=6000)
    parser.add_argument("--weights-every", type=int, default=50, help="shoppers between two looks at the weights")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    rows = []
    for world in WORLDS:
        for mode in MODES if len(world.rates) > 1 else MODES[:2]:
            runs = [simulate(world, mode, given.shoppers, seed, given.weights_every) for seed in range(given.runs)]
            rows.append(row(world, mode, runs, given.shoppers))
    report(__doc__ or "", rows, given.report)


if __name__ == "__main__":
    main()
