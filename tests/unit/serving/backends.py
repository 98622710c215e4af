"""Backends that a test can hold, watch and break."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from rapport.models.ports import ModelId, Role, Rows, Sampling, Step


class HeldBackend:
    """A text is "name:length"; its row says its length. Runs only while `open` is set; notes every batch."""

    model = ModelId("test/held", "1")
    dimensions = 2

    def __init__(self, batch_tokens: int = 100, *, held: bool = False) -> None:
        self.batch_tokens = batch_tokens
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)
        self.batches: list[list[str]] = []
        self.threads: set[str] = set()
        self.fails: Callable[[list[str]], bool] = lambda names: False
        self._names: dict[int, str] = {}
        if not held:
            self.open.set()

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        return [self._ids(text) for text in texts]

    def _ids(self, text: str) -> list[int]:
        name, _, length = text.partition(":")
        first = len(self._names)
        self._names[first] = name
        return [first] * int(length or 1)

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        names = [self._names[sequence[0]] for sequence in sequences]
        self.batches.append(names)
        self.threads.add(threading.current_thread().name)
        self.begun.release()
        assert self.open.wait(10)
        if self.fails(names):
            raise RuntimeError("out of memory")
        return np.array([[len(sequence), 1.0] for sequence in sequences], dtype=np.float32)


class ScriptedDecoder:
    """Says the words of the last turn. "!boom" fails at that word, "!bad" is refused by the template; each word waits
    for `open`.
    """

    model = ModelId("test/scripted", "1")
    context = 50

    def __init__(self, slots: int = 2, *, held: bool = False) -> None:
        self.slots = slots
        self.open = threading.Event()
        self.steps: list[str] = []
        self._said: dict[int, list[str]] = {}
        if not held:
            self.open.set()

    def prompt(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        number = len(self._said)
        self._said[number] = turns[-1][1].split()
        return [number] * sum(len(content.split()) for _, content in turns)

    def begin(self, prompt: Sequence[int], sampling: Sampling) -> ScriptedDecoding:
        return ScriptedDecoding(self, self._said[prompt[0]])


class ScriptedDecoding:
    def __init__(self, decoder: ScriptedDecoder, words: Sequence[str]) -> None:
        self._decoder, self._words = decoder, deque(words)

    def step(self) -> Step:
        assert self._decoder.open.wait(10)
        if not self._words:
            return Step("", 1, ended=True)
        word = self._words.popleft()
        self._decoder.steps.append(word)
        if word == "!boom":
            raise RuntimeError("index out of range")
        return Step(f"{word} ", 1, ended=False)
