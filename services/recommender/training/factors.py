"""Fits item factors by alternating least squares (library implicit)."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from services.recommender.evaluation.histories import Histories
from services.recommender.learned.factors import Factors

# Of log popularity in the score: orders items that fit a customer alike. Tuned on the validation items of
# amazon-beauty-5core-letter.
_BIAS = 0.01


def factors(
    histories: Histories,
    width: int = 128,
    l2: float = 1.0,
    confidence: float = 10.0,
    rounds: int = 15,
    fading: float = 1.0,
    bias: float = _BIAS,
    seed: int = 1,
) -> Factors:
    """Implicit ALS on the summed weights of each user's interactions (Hu, Koren and Volinsky 2008)."""
    # Imported here: it loads its own compiled parts, which serving does without.
    from implicit.cpu.als import AlternatingLeastSquares

    weights = histories.weights()
    weights.data = 1.0 + np.float32(confidence) * weights.data
    # Its own threads are one; the linear algebra below must not bring a second pool.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=width, regularization=l2, alpha=1.0, iterations=rounds, random_state=seed, num_threads=1
        )
        model.fit(weights, show_progress=False)
    popularity = np.log1p(histories.popularity()).astype(np.float32)
    return Factors(
        histories.items,
        np.asarray(model.item_factors, dtype=np.float32),
        np.float32(bias) * popularity,
        l2,
        confidence,
        fading,
    )
