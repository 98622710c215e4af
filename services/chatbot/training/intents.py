"""Fitting the intents' head, and how sure it has to be before the bot acts on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.models.heads import Fitted, SoftmaxHead, fit
from rapport.models.ports import ModelId, Role, Rows
from services.chatbot.domain.reading import KNOWLEDGE, OUT_OF_SCOPE
from services.chatbot.training.versions import Facts

# Of the regression: 0.88 held out on our own examples from 30 to 600, best calibrated here.
_INVERSE_PENALTY = 100.0
# An action on a misunderstanding annoys more than a question to the articles: of the actions taken this share is right.
_PRECISION = 0.93
# Below it an intent is a guess among several even if guesses were mostly right so far.
_LEAST_LIKELY = 0.4


@dataclass(frozen=True, slots=True)
class Intents:
    """P(intent | vector), and how sure it has to be; what was left out of the fit: 5 folds."""

    head: SoftmaxHead
    facts: Facts


def learn_intents(model: ModelId, vectors: Rows, intents: Sequence[str]) -> Intents:
    """From unit `vectors` [examples, d] of texts embedded as queries. Takes a second for some hundred examples."""
    fitted: Fitted = fit(model, vectors, intents, Role.QUERY, _INVERSE_PENALTY, balanced=True)
    return Intents(fitted.head, facts_from(fitted.unseen, fitted.head.labels, intents))


def facts_from(unseen: npt.NDArray[np.floating[Any]], labels: Sequence[str], intents: Sequence[str]) -> Facts:
    """`unseen` [examples, labels]: P(intent) of examples left out of the fit, whose right `intents` are given."""
    truth, said = np.array(intents), np.array(labels)[unseen.argmax(axis=1)]
    right = said == truth
    return Facts(
        act_from(unseen.max(axis=1), right, ~np.isin(said, [KNOWLEDGE, OUT_OF_SCOPE])),
        float(right.mean()),
        {name: round(float(right[truth == name].mean()), 4) for name in sorted(set(intents))},
    )


def act_from(
    probabilities: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_], acts: npt.NDArray[np.bool_]
) -> float:
    """The lowest probability from which on the share of right ones among actions is `_PRECISION`; 1.0 when none is.

    All [examples]: of the likeliest intent, on examples left out of the fit.
    """
    order = np.argsort(-probabilities[acts])
    sorted_right, steps = right[acts][order], probabilities[acts][order]
    if not len(steps):
        return 1.0
    precision = np.cumsum(sorted_right) / np.arange(1, len(steps) + 1)
    enough = np.flatnonzero(precision >= _PRECISION)
    return max(_LEAST_LIKELY, float(steps[enough[-1]])) if len(enough) else 1.0
