"""Matrix factorisation of implicit feedback, r_ui = b_ui + q_iᵀ p_u, with the customer's factor folded in.

b_ui is the item's own part: implicit feedback has no scale on which customers differ in their mean. p_u minimises
Σ_i c_ui (1 - q_iᵀp)² over what the customer dealt with plus Σ_i (q_iᵀp)² over everything plus l2·|p|² (Hu, Koren and
Volinsky 2008), so it follows from the item factors and the latest events alone: a click moves it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Factors:
    items: tuple[str, ...]
    vectors: Floats
    """[items, k]: q_i."""
    biases: Floats
    """[items]: b_i, in the scale of the scores."""
    l2: float
    confidence: float
    """What an interaction weighs against the silence about everything else: c = 1 + confidence."""
    fading: float = 1.0
    """What an interaction counts for against the one after it."""
    gram: Floats = field(init=False)
    """[k, k]: QᵀQ, the silence about everything."""
    number: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "gram", self.vectors.T @ self.vectors)
        object.__setattr__(self, "number", {item: at for at, item in enumerate(self.items)})

    def folded_in(self, history: Sequence[int]) -> Floats:
        """[k]: the factor of a customer with this history of item numbers, oldest first; zeros for an empty one."""
        seen = list(dict.fromkeys(reversed(history)))
        if not seen:
            return np.zeros(self.vectors.shape[1], np.float32)
        q = self.vectors[seen]
        weight = self.confidence * np.float32(self.fading) ** np.arange(len(seen), dtype=np.float32)
        left = self.gram + (q.T * weight) @ q + np.float32(self.l2) * np.eye(len(self.gram), dtype=np.float32)
        return np.asarray(np.linalg.solve(left, q.T @ (1.0 + weight)), dtype=np.float32)

    def scores(self, history: Sequence[int]) -> Floats:
        """[items]: r_ui of everything."""
        return np.asarray(self.vectors @ self.folded_in(history) + self.biases, dtype=np.float32)
