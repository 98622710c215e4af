"""Fits the sequence model for a shop, in the worker's room (the only one with torch)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.recommender.evaluation.figures import per_case
from services.recommender.evaluation.full_ranking import Scorer, rank_all
from services.recommender.evaluation.histories import Histories
from services.recommender.evaluation.scorers import ByFunction
from services.recommender.evaluation.splits import Case, Split
from services.recommender.worker.sasrec.shape import Plan, Shape

if TYPE_CHECKING:
    from services.recommender.worker.sasrec.model import SasRec

# From here on a softmax over all items costs more than it tells: a drawn part of them stands for the rest.
_FULL_UP_TO, _DRAWN = 4096, 2048
# Cases by which training is ended: enough to see one more in a hundred, and ranked in seconds.
_CHECKED = 3000
_SMALLEST_BATCH, _STEPS = 16, 40


def plan_for(train: Histories, epochs: int, seed: int = 1) -> Plan:
    """Full cross-entropy for a small catalogue, many shared negatives for a large one; small batches for few customers,
    so that an epoch has steps enough to learn by."""
    negatives = _DRAWN if len(train.items) > _FULL_UP_TO else 0
    batch = min(Plan().batch, max(_SMALLEST_BATCH, len(train.users) // _STEPS))
    return Plan(epochs=epochs, batch=batch, negatives=negatives, seed=seed)


def fit_sequence(split: Split, plan: Plan, told: Callable[[str], None], threads: int = 0) -> tuple[Scorer, int]:
    """A scorer fitted on `split.train`, ended by `split.validation`; and after how many epochs that was."""
    model, epochs = fit_net(split, plan, told, threads)
    return scorer(model, split.train.items), epochs


def fit_net(split: Split, plan: Plan, told: Callable[[str], None], threads: int = 0) -> tuple[SasRec, int]:
    """The net of `fit_sequence`."""
    from rapport.models.torch_device import set_threads
    from services.recommender.worker.sasrec.fitting import fit

    set_threads(threads)
    cases = _spread(split.validation)

    def figure(model: SasRec) -> float:
        ranked = rank_all(scorer(model, split.train.items), cases, repeats=split.repeats)
        return float(per_case(ranked, (10,))["NDCG@10"].mean())

    sequences = [split.train.of(user) for user in range(len(split.train.users))]
    fitted = fit(sequences, Shape(items=len(split.train.items)), plan, figure if cases else None, told=told)
    return fitted.model, fitted.epochs


def fit_whole(whole: Histories, plan: Plan, folder: Path, threads: int = 0) -> None:
    """Fitted on everything for `plan.epochs`, and saved: what is served."""
    from rapport.models.torch_device import set_threads
    from services.recommender.worker.sasrec.fitting import fit
    from services.recommender.worker.sasrec.store import save

    set_threads(threads)
    sequences = [whole.of(user) for user in range(len(whole.users))]
    save(fit(sequences, Shape(items=len(whole.items)), plan).model, whole.items, folder)


def scorer(model: SasRec, items: Sequence[str]) -> Scorer:
    """A net as full ranking asks for it."""
    from rapport.models.ports import ModelId
    from services.recommender.worker.sasrec.ranking import SequenceModel

    return ByFunction("sasrec", SequenceModel(model, items, ModelId("sasrec", "in training")).scores)


def _spread(cases: Sequence[Case]) -> Sequence[Case]:
    """At most `_CHECKED` of them, from all over: users are in the order in which they came."""
    step = max(1, len(cases) // _CHECKED)
    return cases[::step]
