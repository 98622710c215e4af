"""What models looked at, small, and what they made of it, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from services.profiler.domain.explanation import Contribution


def packed(row: Sequence[float]) -> bytes:
    """Float32: beyond its seven digits nobody needs a reason."""
    return np.asarray(row, dtype=np.float32).tobytes()


def unpacked(row: bytes) -> npt.NDArray[np.float64]:
    """The other way round; empty for nothing."""
    return np.frombuffer(row, dtype=np.float32).astype(np.float64)


def heaviest_first(parts: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """By what they changed; what changed nothing is left out."""
    moving = (part for part in parts if part.amount)
    return tuple(sorted(moving, key=lambda part: (-abs(part.amount), part.feature)))
