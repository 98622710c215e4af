"""How a classifier of text is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rapport.models.ports import Role

# head: a softmax on the vectors of the encoder that serves everything else. words: it reads the texts' n-grams beside
# them. full, lora: the encoder learns as well.
Method = Literal["head", "words", "full", "lora"]
Progress = Callable[[str], None]

ROLE = Role.QUERY
"""How texts are embedded: E5's makers advise the query form for symmetric tasks such as this one."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """`multi_label`: each label is told by itself, and a text may have several or none. All below is for full, lora."""

    method: Method = "full"
    multi_label: bool = False
    epochs: int = 3
    layers: int = 0
    """How many of the uppermost are trained; 0: all."""
    words: bool = False
    """Train the word table too: four fifths of a multilingual model, and seldom the point (full)."""
    minutes: float = 0.0
    """Stop after so long; 0: no limit. What was best until then is kept."""
    patience: int = 3
    """Looks at the part set aside without a better figure before it stops."""
    window: int = 128
    """Tokens of a text that are read."""
    batch: int = 32
    rate: float = 0.0
    """The encoder's step size; 0: the method's own."""
    seed: int = 0
