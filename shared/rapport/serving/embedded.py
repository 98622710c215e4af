"""What an encoder answered, whichever protocol it speaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Embedded:
    """`vectors`: float32 [texts, dimensions], L2 norm 1, in the order of the texts. `model`: "id@revision"."""

    vectors: npt.NDArray[np.float32]
    model: str
