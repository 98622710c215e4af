"""Models without weights: the same text always gives the same answer, in microseconds."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rapport.ops.errors import InvalidRequest, NotFound, RapportError
from rapport.serving.client import Classified, Embedded, Piece, Priority, Role, Turn
from rapport.text.tokens import tokens
from rapport.vectors.packing import Float32

Labelling = Mapping[str, Sequence[str]]


class FakeEncoder:
    """Stands for `EncoderClient`. Each token has a fixed random direction and a text is the sum of its tokens, so
    texts that share words are near each other and others are not (cosine within 0.3 of 0)."""

    def __init__(self, dimensions: int = 128, model: str = "fake@1") -> None:
        self.dimensions, self.model = dimensions, model
        self.calls: list[list[str]] = []
        """What was asked, call by call."""
        self.failure: RapportError | None = None
        """While set, every call raises it."""

    async def embed(
        self,
        texts: Sequence[str],
        *,
        role: Role = Role.PASSAGE,
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> Embedded:
        if self.failure is not None:
            raise self.failure
        if not texts:
            raise InvalidRequest("no texts", field="texts")
        self.calls.append(list(texts))
        return Embedded(np.stack([self.vector(text) for text in texts]), self.model)

    def vector(self, text: str) -> Float32:
        """The unit vector of one text, [dimensions]."""
        found = tokens(text) or [""]
        total: Float32 = np.sum([self._direction(token) for token in found], axis=0, dtype=np.float32)
        return total / np.float32(np.linalg.norm(total))

    def _direction(self, token: str) -> Float32:
        seed = int.from_bytes(hashlib.blake2b(f"{self.model} {token}".encode(), digest_size=8).digest())
        return np.random.default_rng(seed).standard_normal(self.dimensions).astype(np.float32)


class FakeClassifier:
    """Stands for `ClassifierClient`. A label is likely when one of its words occurs in the text.

    `tasks`: by task, the words of each label, e.g. {"sentiment": {"negative": ["broken"], "neutral": [], "positive":
    ["love"]}}. A text without any of the words gets the label that has no words, else all labels alike.
    """

    def __init__(self, tasks: Mapping[str, Labelling], model: str = "fake@1") -> None:
        self._tasks, self._model = tasks, model

    async def classify(
        self,
        task: str,
        texts: Sequence[str],
        *,
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> Classified:
        if task not in self._tasks:
            raise NotFound(f"no task {task!r}, served: {', '.join(self._tasks)}", field="task")
        if not texts:
            raise InvalidRequest("no texts", field="texts")
        labels = self._tasks[task]
        scores = np.array([[_matches(text, words) for words in labels.values()] for text in texts], np.float32)
        scores += np.array([not words for words in labels.values()], np.float32) * (scores.sum(1, keepdims=True) == 0)
        weights = np.exp(3 * scores)
        return Classified(tuple(labels), weights / weights.sum(1, keepdims=True), self._model)


class FakeGenerator:
    """Stands for `GeneratorClient`. Says `reply`, or what `reply` makes of the turns, word by word."""

    def __init__(self, reply: str | Callable[[Sequence[Turn]], str], model: str = "fake@1") -> None:
        self._reply, self._model = reply, model
        self.calls: list[list[Turn]] = []
        self.failure: RapportError | None = None
        """While set, every call raises it."""

    async def generate(
        self,
        messages: Sequence[Turn],
        *,
        max_tokens: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        top_k: int = 0,
        frequency_penalty: float = 0.0,
        presence_penalty: float = 0.0,
        stop: Sequence[str] = (),
        json_schema: Mapping[str, Any] | None = None,
        regex: str | None = None,
        adapter: str = "",
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> AsyncGenerator[Piece, None]:
        if self.failure is not None:
            raise self.failure
        if not messages:
            raise InvalidRequest("no messages", field="messages")
        self.calls.append(list(messages))
        whole = self._reply if isinstance(self._reply, str) else self._reply(messages)
        for ending in stop:
            whole = whole.partition(ending)[0]
        words = whole.split(" ")
        said = words[: max_tokens or len(words)]
        for number, word in enumerate(said):
            yield Piece(word if number == 0 else f" {word}")
        asked = sum(len(turn.content.split()) for turn in messages)
        yield Piece("", "length" if len(said) < len(words) else "stop", self._model, asked, len(said))


def _matches(text: str, words: Sequence[str]) -> int:
    return sum(word.casefold() in text.casefold() for word in words)
