"""An experiment as a person reads it: rates, intervals, posterior, regret, and what the stopping rule says."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.events.experiments import ExperimentChanged
from services.content.domain.experiments.bandit import (
    Posterior,
    chance_best,
    draws,
    expected_loss,
    posteriors,
    with_floor,
)
from services.content.domain.experiments.statistics import difference_sequence, imbalance, wilson
from services.content.domain.experiments.tally import Tally

# A split this unlikely under its own weights is a fault of the set-up, not chance (GrowthBook warns at the same value).
_IMBALANCED_BELOW = 0.001
# A bandit's winner may fall behind the best by this share of its own rate at most, in expectation.
_LOSS_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class ArmReport:
    variation_id: str
    customers: int
    successes: int
    rate: float
    interval: tuple[float, float]
    weight: float
    chance_best: float
    posterior: Posterior
    lift: float | None
    lift_interval: tuple[float, float] | None
    revenue_per_customer: float | None


@dataclass(frozen=True, slots=True)
class SegmentReport:
    segment: str
    customers: int
    weights: tuple[float, ...]
    means: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Report:
    arms: tuple[ArmReport, ...]
    segments: tuple[SegmentReport, ...]
    regret: float
    expected_loss: float
    leader: str
    decided: bool
    verdict: str
    imbalance_p: float | None


def weights_of(experiment: ExperimentChanged, tally: Tally, segment: str | None = None) -> list[float]:
    """What new customers get now, in the order of the variations. `segment`: of a contextual bandit."""
    plan, names = experiment.plan, [variation.variation_id for variation in experiment.variations]
    if plan.mode == "fixed":
        return list(plan.weights) or [1 / len(names)] * len(names)
    pooled = [tally.of(name) for name in names]
    if plan.mode == "contextual" and segment is not None:
        found = posteriors([tally.of(name, segment) for name in names], pooled)
    else:
        found = posteriors(pooled)
    return with_floor(chance_best(draws(found)), plan.floor)


def report_of(experiment: ExperimentChanged, tally: Tally) -> Report:
    """Everything that is known now."""
    names = [variation.variation_id for variation in experiment.variations]
    counts = [tally.of(name) for name in names]
    found = posteriors(counts)
    samples = draws(found)
    chances = chance_best(samples)
    leader = int(chances.argmax())
    weights = weights_of(experiment, tally)
    arms = tuple(_arm(experiment, tally, at, found[at], weights[at], float(chances[at])) for at in range(len(names)))
    loss = expected_loss(samples, leader)
    split = imbalance([c.customers for c in counts], weights) if experiment.plan.mode == "fixed" else None
    decided, verdict = _verdict(experiment, arms, leader, loss, split)
    best = max(posterior.mean for posterior in found)
    regret = sum(c.customers * (best - posterior.mean) for c, posterior in zip(counts, found, strict=True))
    return Report(arms, _segments(experiment, tally), regret, loss, names[leader], decided, verdict, split)


def _arm(
    experiment: ExperimentChanged, tally: Tally, at: int, posterior: Posterior, weight: float, chance: float
) -> ArmReport:
    names, plan = [variation.variation_id for variation in experiment.variations], experiment.plan
    own, first = tally.of(names[at]), tally.of(names[0])
    lift = interval = None
    if at and own.customers and first.customers:
        lift = own.successes / own.customers - first.successes / first.customers
        alpha = (1 - plan.confidence) / (len(names) - 1)
        interval = difference_sequence((first.successes, first.customers), (own.successes, own.customers), alpha)
    return ArmReport(
        names[at],
        own.customers,
        own.successes,
        own.successes / own.customers if own.customers else 0.0,
        wilson(own.successes, own.customers, plan.confidence),
        weight,
        chance,
        posterior,
        lift,
        interval,
        own.value / own.customers if plan.metric == "order" and own.customers else None,
    )


def _verdict(
    experiment: ExperimentChanged,
    arms: tuple[ArmReport, ...],
    leader: int,
    loss: float,
    split: float | None,
) -> tuple[bool, str]:
    """Whether the stopping rule is met, and why.

    Fixed split: the leader's confidence sequence against every other variation excludes 0 (Bonferroni over them). It
    may be looked at any time. Bandit: the leader is the best with the plan's confidence, and what it may fall behind
    is below 1 % of its rate; looking often makes this one wrong more often than 1 − confidence.
    """
    plan = experiment.plan
    fewest = min(arm.customers for arm in arms)
    if fewest < plan.min_customers:
        return False, f"waits for {plan.min_customers} customers a variation: {fewest} so far"
    if split is not None and split < _IMBALANCED_BELOW:
        return False, f"the split does not fit its weights (p {split:.2g}): check how exposures are sent"
    if plan.mode != "fixed":
        best, rate = arms[leader], arms[leader].posterior.mean
        if best.chance_best >= plan.confidence and loss <= _LOSS_SHARE * rate:
            return True, f"{best.variation_id} is the best with chance {best.chance_best:.3f}"
        return False, f"{best.variation_id} leads with chance {best.chance_best:.3f}; {plan.confidence} is asked for"
    name = arms[leader].variation_id
    own = (arms[leader].successes, arms[leader].customers)
    alpha = (1 - plan.confidence) / (len(arms) - 1)
    low = min(
        difference_sequence((arm.successes, arm.customers), own, alpha)[0] for arm in arms if arm.variation_id != name
    )
    if low > 0:
        return True, f"{name} is better than every other variation by at least {low:.4f}"
    return False, f"{name} leads; its advantage may still be {low:.4f}"


def _segments(experiment: ExperimentChanged, tally: Tally) -> tuple[SegmentReport, ...]:
    if experiment.plan.mode != "contextual":
        return ()
    names = [variation.variation_id for variation in experiment.variations]
    pooled = [tally.of(name) for name in names]
    found = []
    for segment in tally.segments():
        counts = [tally.of(name, segment) for name in names]
        means = tuple(posterior.mean for posterior in posteriors(counts, pooled))
        weights = tuple(weights_of(experiment, tally, segment))
        found.append(SegmentReport(segment, sum(c.customers for c in counts), weights, means))
    return tuple(found)
