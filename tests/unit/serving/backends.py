"""Backends that a test can hold, watch and break."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rapport.models.ports import ModelId, Role, Rows
from rapport.models.text_ports import Constraint, Sampling, Step
from rapport.ops.errors import ModelError, NotFound, RapportError


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
        assert self.open.wait(60)
        if self.fails(names):
            raise RuntimeError("out of memory")
        return np.array([[len(sequence), 1.0] for sequence in sequences], dtype=np.float32)


class ScriptedDecoder:
    """Says the words of the last turn, each when `open` is set. At "!boom" the pass breaks, at "!bad" that text alone
    fails. `most`: a pass of more texts breaks. `broken`: every pass does.
    """

    model = ModelId("test/scripted", "1")
    context = 50
    adapters = ("brand",)

    def __init__(self, slots: int = 2, *, held: bool = False) -> None:
        self.slots = slots
        self.open = threading.Event()
        self.steps: list[str] = []
        self.passes: list[int] = []
        self.rebuilt = 0
        self.most, self.broken = 1000, False
        self._said: dict[int, list[str]] = {}
        if not held:
            self.open.set()

    def prompt(self, turns: Sequence[tuple[str, str]]) -> list[int]:
        number = len(self._said)
        self._said[number] = turns[-1][1].split()
        return [number] * sum(len(content.split()) for _, content in turns)

    def begin(
        self, prompt: Sequence[int], sampling: Sampling, constraint: Constraint | None, adapter: str
    ) -> ScriptedText:
        if adapter not in ("", *self.adapters):
            raise NotFound("no such adapter", field="adapter")
        return ScriptedText(deque(self._said[prompt[0]]))

    def step(self, texts: Sequence[ScriptedText]) -> list[Step | RapportError]:
        assert self.open.wait(60)
        assert not any(text.over for text in texts)
        self.passes.append(len(texts))
        if self.broken or len(texts) > self.most or any(text.words and text.words[0] == "!boom" for text in texts):
            raise RuntimeError("index out of range")
        return [self._say(text) for text in texts]

    def _say(self, text: ScriptedText) -> Step | RapportError:
        if text.unread:
            text.unread = False
            return Step("", 0, ended=False)
        if not text.words:
            return Step("", 1, ended=True)
        word = text.words.popleft()
        self.steps.append(word)
        return ModelError("no number") if word == "!bad" else Step(f"{word} ", 1, ended=False)

    def end(self, text: ScriptedText) -> None:
        text.over = True

    def rebuild(self) -> None:
        self.rebuilt += 1


@dataclass
class ScriptedText:
    words: deque[str]
    unread: bool = True
    over: bool = False
    reused_tokens: int = 0
