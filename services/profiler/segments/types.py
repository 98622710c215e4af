"""Named customer types: P(c|x) = softmax(W x + b) with calibrated confidence.

The first labels come from rules on recency, frequency and monetary value; a label that a person gave stands instead of
the rule's, and weighs as much as `_CORRECTION` of them. Calibration: temperature scaling (Guo et al. 2017) on
predictions of five folds that had not seen the customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rapport.ops.errors import StateConflict
from services.profiler.domain.customer import Customer
from services.profiler.segments.features import type_features
from services.profiler.segments.model import LinearSegments, Segment

_DAY_MS = 86_400_000.0
# A person who looked at a customer knows more than a rule of thumb.
_CORRECTION = 20.0
_FOLDS, _SEED = 5, 0
_LEAST_TYPES = 2
_TEMPERATURES = np.geomspace(0.25, 8.0, 61)
# Sessions without an order from which on somebody is known to look and not to buy.
_WINDOW_SESSIONS = 3
SENTENCES: Mapping[str, str] = {
    "Newcomer": "has come once or twice and has not ordered yet",
    "Window shopper": f"came at least {_WINDOW_SESSIONS} times and has not ordered",
    "First-time buyer": "has ordered once, not long ago",
    "Loyal": "orders again and again",
    "Champion": "orders again and again, and is among the quarter who spend most",
    "Lapsing": "has ordered, and stays away longer than three in four buyers",
}
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FittedTypes:
    """The model, and what it got right on customers whom it had not seen: accuracy and calibration error, 0 to 1."""

    model: LinearSegments
    accuracy: float
    calibration_error: float
    counts: Mapping[str, int]


def first_labels(customers: Sequence[Customer], now: int) -> list[str]:
    """One type a customer by rules relative to this shop's buyers. `now`: event time."""
    buyers = [customer for customer in customers if customer.value.last_order_at is not None]
    waits = [now - (buyer.value.last_order_at or now) for buyer in buyers]
    spent = [float(buyer.value.revenue) for buyer in buyers]
    long_ago = float(np.percentile(waits, 75)) if waits else 0.0
    much = float(np.percentile(spent, 75)) if spent else 0.0
    return [_by_rule(customer, now, long_ago, much) for customer in customers]


def fit_types(customers: Sequence[Customer], ids: Sequence[str], corrected: Mapping[str, str], now: int) -> FittedTypes:
    """Types of `customers` (their `ids` alongside). `corrected`: labels that people gave, by customer id.

    Types with fewer than `_FOLDS` customers are left out: nothing can be learned of them yet. Raises `StateConflict`
    when that leaves only one: everybody would be of it, and surely.
    """
    rows = np.stack([type_features(customer, now) for customer in customers]).astype(np.float64)
    labels = [corrected.get(id_, rule) for id_, rule in zip(ids, first_labels(customers, now), strict=True)]
    trust = np.array([_CORRECTION if id_ in corrected else 1.0 for id_ in ids])
    common = {label for label in labels if labels.count(label) >= _FOLDS}
    if len(common) < _LEAST_TYPES:
        raise StateConflict(f"only {len(common)} type has {_FOLDS} customers or more", fix="wait for more orders")
    kept = np.array([label in common for label in labels])
    names = np.array(labels)[kept]
    mean, scale = rows[kept].mean(axis=0), np.maximum(rows[kept].std(axis=0), 1e-6)
    standard = (rows[kept] - mean) / scale
    classes, held_out = _held_out(standard, names, trust[kept])
    truth = np.searchsorted(classes, names)
    temperature = min(_TEMPERATURES, key=lambda t: _loss(held_out / t, truth))
    shares = _softmax(held_out / temperature)
    sure = shares.max(axis=1)
    right = shares.argmax(axis=1) == truth
    slopes, biases = _regression(standard, names, trust[kept], classes)
    slopes, biases = slopes / temperature, biases / temperature
    segments = tuple(_segment(str(name), float((names == name).mean())) for name in classes)
    model = LinearSegments(
        "type",
        "",
        "",
        segments,
        (slopes / scale).astype(np.float32),
        (biases - (slopes / scale) @ mean).astype(np.float32),
    )
    counts = {str(name): int((names == name).sum()) for name in classes}
    return FittedTypes(model, float(right.mean()), _calibration_error(sure, right), counts)


def _by_rule(customer: Customer, now: int, long_ago: float, much: float) -> str:
    value = customer.value
    if value.last_order_at is None:
        return "Window shopper" if customer.session.number >= _WINDOW_SESSIONS else "Newcomer"
    if now - value.last_order_at > long_ago:
        return "Lapsing"
    if value.order_count == 1:
        return "First-time buyer"
    return "Champion" if float(value.revenue) >= much else "Loyal"


def _segment(name: str, share: float) -> Segment:
    told = SENTENCES.get(name, "as people labelled it")
    return Segment(f"type-{name.lower().replace(' ', '-')}", name, f"{share:.0%} of customers: {told}", share, ())


def _held_out(rows: Array, names: npt.NDArray[np.str_], weights: Array) -> tuple[npt.NDArray[np.str_], Array]:
    """Classes, sorted, and scores [n, classes] of models that had not seen the row."""
    from sklearn.model_selection import StratifiedKFold

    classes = np.unique(names)
    scores = np.zeros((len(rows), len(classes)))
    for seen, unseen in StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED).split(rows, names):
        slopes, biases = _regression(rows[seen], names[seen], weights[seen], classes)
        scores[unseen] = rows[unseen] @ slopes.T + biases
    return classes, scores


def _regression(
    rows: Array, names: npt.NDArray[np.str_], weights: Array, classes: npt.NDArray[np.str_]
) -> tuple[Array, Array]:
    """Slopes [classes, d] and biases [classes]."""
    from sklearn.linear_model import LogisticRegression

    fit = LogisticRegression(C=10.0, max_iter=2000).fit(rows, names, sample_weight=weights)
    if len(classes) == 2:  # scikit-learn keeps one row for two classes
        return np.vstack([-fit.coef_ / 2, fit.coef_ / 2]), np.concatenate([-fit.intercept_ / 2, fit.intercept_ / 2])
    return fit.coef_, fit.intercept_


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _loss(scores: Array, truth: npt.NDArray[np.intp]) -> float:
    return float(-np.log(np.maximum(_softmax(scores)[np.arange(len(truth)), truth], 1e-12)).mean())


def _calibration_error(sure: Array, right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins of confidence (Guo et al. 2017)."""
    bins = np.minimum((sure * 10).astype(int), 9)
    gaps = [abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist())]
    return float(sum(gaps))
