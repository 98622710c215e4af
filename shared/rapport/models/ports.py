"""What the serving runtime needs of a model, whoever runs it: torch, a dummy, later ONNX Runtime or OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]

PAIR = "\x1e"
"""Stands between query and passage in the one text that a reranker gets; the query's own are taken out first."""


class Role(Enum):
    """How a text is used: asymmetric encoders embed questions and documents differently."""

    QUERY = "query"
    PASSAGE = "passage"


@dataclass(frozen=True, slots=True)
class ModelId:
    """Which weights: a name, and a revision that changes whenever an answer could."""

    id: str
    revision: str

    def __str__(self) -> str:
        return f"{self.id}@{self.revision}"


class SequenceBackend(Protocol):
    """Token sequences in, one row of numbers each out. `tokenize` and `forward` run on different threads."""

    @property
    def model(self) -> ModelId: ...

    @property
    def dimensions(self) -> int:
        """Length of a row."""

    @property
    def batch_tokens(self) -> int:
        """Tokens in one batch from which on the device is no faster; more would only make others wait."""

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Ids of each text with the prefix of `role`, cut to the model's window. Never empty lists."""

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, dimensions]. An encoder's rows have L2 norm 1."""


@runtime_checkable
class Packing(Protocol):
    """A backend that pads next to nothing, whatever lengths come together."""

    @property
    def packs(self) -> bool: ...


class Head(Protocol):
    """A classifier on top of an encoder's vectors."""

    @property
    def model(self) -> ModelId: ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Column order of the probabilities."""

    @property
    def role(self) -> Role:
        """How the texts were embedded when it was fitted."""

    def probabilities(self, vectors: Rows, texts: Sequence[str]) -> Rows:
        """P(c|x): float32 [texts, labels], from the `texts` and their `vectors` [texts, dimensions]."""

    def told(self, vectors: Rows, texts: Sequence[str]) -> tuple[Rows, Rows]:
        """`probabilities`, and energies float32 [texts]: the higher, the less a text is like what was learned."""
