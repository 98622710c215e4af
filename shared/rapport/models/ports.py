"""What the serving runtime needs of a model, whoever runs it: torch, a dummy, later ONNX Runtime or OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]


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

    def probabilities(self, vectors: Rows) -> Rows:
        """P(c|x) = softmax(W x + b): float32 [texts, labels], rows sum to 1, from `vectors` [texts, dimensions]."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to choose the next token. `temperature` 0: the likeliest (greedy). The same `seed` gives the same text."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one step brought: the text that is new, whether a token was made, whether the model ended."""

    text: str
    tokens: int
    ended: bool


class Decoding(Protocol):
    """One text under way."""

    def step(self) -> Step:
        """A bounded piece of device work: a stretch of the prompt, or one token."""


class Decoder(Protocol):
    """A language model. `prompt` runs on the tokenising thread, `Decoding.step` on the device's."""

    @property
    def model(self) -> ModelId: ...

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together."""

    @property
    def slots(self) -> int:
        """Texts under way at once."""

    def prompt(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        """Ids of the chat (role, content) in the model's own template, up to where the answer begins.

        Raises `InvalidRequest` when the template refuses the turns.
        """

    def begin(self, prompt: Sequence[int], sampling: Sampling) -> Decoding:
        """A text to be decoded; no device work yet."""
