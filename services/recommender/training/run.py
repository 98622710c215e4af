"""One training: judge all models on held-out behaviour, fit on everything, register the versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.errors import InvalidRequest
from services.recommender.domain.features import FEATURES, VERSION
from services.recommender.evaluation.full_ranking import Scorer
from services.recommender.evaluation.histories import Histories
from services.recommender.evaluation.logged import LOGGED, judged_on_lists
from services.recommender.evaluation.report import CHIEF, Line
from services.recommender.evaluation.splits import Case, Split, leave_one_out, temporal
from services.recommender.learned import names, ranker, store
from services.recommender.training.impressions import lists_of
from services.recommender.training.ranker import fit_ranker
from services.recommender.training.reading import Data
from services.recommender.training.sequence import fit_sequence, fit_whole, plan_for
from services.recommender.training.signals import histories_of
from services.recommender.training.sources import ITEM_ITEM, Compared, compared, fit_factors

# Fewer cases say nothing: an interval of a rate near 0.1 among 50 is as wide as the rate.
_FEWEST_CASES = 50
# Lists with a click that a ranker needs: below, it learns single customers.
_FEWEST_LISTS = 200
# The part of the lists, the latest, by which a ranker is ended and judged.
_HELD_OUT = 0.2
_CALIBRATED, _PLACE = 500, 2


@dataclass(frozen=True, slots=True)
class Options:
    models: Sequence[str] = names.MODELS
    epochs: int = 60
    """Of the sequence model, at most."""
    threads: int = 0
    """Of the sequence model's training; 0: from the cgroup's quota."""


@dataclass(slots=True)
class Result:
    """What came of it."""

    protocol: str = ""
    lines: tuple[Line, ...] = ()
    """Every source on the held-out behaviour."""
    versions: list[Version] = field(default_factory=list)
    worse: dict[str, str] = field(default_factory=dict)
    """By model: why it should not be promoted."""
    left_out: dict[str, str] = field(default_factory=dict)
    """By model: why there is no version."""


def train(data: Data, registry: Registry, options: Options, told: Callable[[str], None]) -> Result:
    """Raises `InvalidRequest` when there is too little behaviour to judge any model by."""
    whole = histories_of(data.signals, data.aliases).distinct()
    result = Result()
    wanted = set(options.models)
    if wanted & {names.ITEM_ITEM, names.FACTORS, names.SEQUENCE}:
        split = split_of(whole)
        told(f"{len(whole)} interactions, {len(whole.users)} customers, {len(whole.items)} products; {split.protocol}")
        _sources(data, whole, split, registry, options, result, told)
    if names.RANKER in wanted:
        _ranker(data, registry, result, told)
    return result


def split_of(whole: Histories, wanted: str = "") -> Split:
    """By time where that leaves enough cases, else the last item of each customer; `wanted` names one of them."""
    by_time = temporal(whole) if wanted != "leave-one-out" and len(whole) else None
    if by_time and (wanted or min(len(by_time.test), len(by_time.validation)) >= _FEWEST_CASES):
        return by_time
    by_last = leave_one_out(whole)
    if len(by_last.test) < _FEWEST_CASES:
        raise InvalidRequest(
            f"{len(by_last.test)} customers with three different products, {_FEWEST_CASES} are wanted",
            field="clickstream",
            fix="let the shop run on, or import its history with ./rapport import events",
        )
    return by_last


def of_users(data: Data, whole: Histories) -> dict[int, str]:
    """The profiles' segment of each user of the histories that has one."""
    return {number: data.segments[user] for number, user in enumerate(whole.users) if user in data.segments}


def _sources(
    data: Data,
    whole: Histories,
    split: Split,
    registry: Registry,
    options: Options,
    result: Result,
    told: Callable[[str], None],
) -> None:
    wanted, epochs = set(options.models), [options.epochs]
    plan = plan_for(split.train, options.epochs)

    def sequence() -> Scorer:
        found, epochs[0] = fit_sequence(split, plan, told, options.threads)
        return found

    more = [sequence] if names.SEQUENCE in wanted else []
    found = compared(split, of_users(data, whole), more, told)
    result.protocol, result.lines = split.protocol, found.lines

    def about(name: str) -> store.About:
        return store.About(data.tenant, half_at(found.scorers[name], split.test))

    def register(model: str, kind: str, write: Callable[[Path], None]) -> None:
        _register(write, names.of_tenant(model, data.tenant), kind, found, registry, result)

    if names.ITEM_ITEM in wanted:
        kind = found.best_item_item()
        told(f"{names.ITEM_ITEM}: {kind}, fitted on everything")
        model = ITEM_ITEM[kind](whole)
        register(names.ITEM_ITEM, kind, lambda to: store.save_item_item(model, about(kind), to))
    if names.FACTORS in wanted:
        fitted = fit_factors(whole)
        register(names.FACTORS, "factors", lambda to: store.save_factors(fitted, about("factors"), to))
    if names.SEQUENCE in wanted:
        told(f"{names.SEQUENCE}: {epochs[0]} epochs on everything")
        final = replace(plan, epochs=epochs[0])
        register(names.SEQUENCE, "sasrec", lambda to: fit_whole(whole, final, to, options.threads))


def half_at(scorer: Scorer, cases: Sequence[Case]) -> float:
    """The median of the third best score: what an ordinary good candidate has. Further down, a small shop's scores are
    next to nothing, and everything better would count as full."""
    scores = scorer.scores(cases[:_CALIBRATED])
    place = min(_PLACE, scores.shape[1] - 1)
    third = -np.partition(-scores, place, axis=1)[:, place]
    positive = third[third > 0]
    return float(np.median(positive)) if len(positive) else 1.0


def _register(
    write: Callable[[Path], None], model: str, kind: str, found: Compared, registry: Registry, result: Result
) -> None:
    metrics = {"ndcg@10": found.figure(kind), "hr@10": found.figure(kind, "HR@10")}
    for peer in ("popularity", "item_knn", "ease"):
        metrics[f"{peer} ndcg@10"] = found.figure(peer)
    result.versions.append(registry.make(write, name=model, kind=kind, metrics=metrics))
    if metrics["ndcg@10"] <= metrics["popularity ndcg@10"]:
        result.worse[model] = f"{CHIEF} {metrics['ndcg@10']:.4f}, popularity alone {metrics['popularity ndcg@10']:.4f}"


def _ranker(data: Data, registry: Registry, result: Result, told: Callable[[str], None]) -> None:
    usable = sorted((one for one in data.seen if one.feature_version == VERSION), key=lambda one: one.shown_ms)
    clicked = sum(bool(one.gains.any()) for one in usable)
    if clicked < _FEWEST_LISTS:
        result.left_out[names.RANKER] = f"{clicked} lists with a click, {_FEWEST_LISTS} are wanted: fixed weights stay"
        return
    cut = int(len(usable) * (1 - _HELD_OUT))
    booster = fit_ranker(lists_of(usable[:cut]), lists_of(usable[cut:]), FEATURES)
    judged = judged_on_lists(usable[cut:], {"trained": lambda rows: np.asarray(booster.predict(rows, num_threads=1))})
    (figure, ahead, _), (shown, _, _) = judged["trained"], judged[LOGGED]
    told(
        f"{names.RANKER}: {booster.best_iteration} trees; on the last {len(usable) - cut} lists, clicks by inverse "
        f"examination: {figure.value:.4f}, as shown {shown.value:.4f}, ahead by {ahead.value:+.4f} "
        f"[{ahead.low:+.4f}, {ahead.high:+.4f}]"
    )
    metrics = {"ndcg": figure.value, "ndcg as shown": shown.value, "ahead low": ahead.low, "lists": float(clicked)}
    save = partial(ranker.save, booster, data.tenant)
    made = registry.make(save, name=names.of_tenant(names.RANKER, data.tenant), kind=ranker.KIND, metrics=metrics)
    result.versions.append(made)
    if ahead.value <= 0:
        result.worse[made.name] = f"not ahead of the order as shown ({ahead.value:+.4f})"
