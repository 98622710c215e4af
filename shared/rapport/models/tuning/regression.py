"""Logistic regression on vectors: what a classifier starts from, and all of it when the encoder stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.models.ports import Rows

# As in `rapport.models.heads.fit`: E5's vectors lie close together.
_INVERSE_PENALTY = 30.0
# Rounds of the solver; vectors of hundreds of labels take longer than scikit-learn's 100.
_ROUNDS = 2000


def regress(vectors: Rows, truth: npt.NDArray[np.bool_], *, independent: bool) -> tuple[Rows, Rows]:
    """Weights [labels, dimensions] and biases [labels] from unit `vectors` and `truth` [texts, labels].

    A label without an example, or that all have, gets no weights. `independent`: a regression of each label by itself.
    """
    from threadpoolctl import threadpool_limits

    weights = np.zeros((truth.shape[1], vectors.shape[1]), dtype=np.float32)
    biases = np.zeros(truth.shape[1], dtype=np.float32)
    with threadpool_limits(1):
        if independent:
            for column in np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0)):
                weights[column], biases[column] = _of_two(vectors, truth[:, column])
        else:
            answers = truth.argmax(axis=1)
            there = np.unique(answers)
            if len(there) == 2:
                weights[there[1]], biases[there[1]] = _of_two(vectors, answers == there[1])
            elif len(there) > 2:
                fitted = _regression().fit(vectors, answers)
                weights[there], biases[there] = fitted.coef_, fitted.intercept_
    return weights, biases


def _of_two(vectors: Rows, answers: npt.NDArray[np.bool_]) -> tuple[Rows, np.float32]:
    fitted = _regression().fit(vectors, answers)
    return fitted.coef_[0].astype(np.float32), np.float32(fitted.intercept_[0])


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=_INVERSE_PENALTY, max_iter=_ROUNDS)
