"""Trains an encoder to point at answers: start and end of the span, or nowhere (Devlin et al. 2019, for SQuAD 2.0)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rapport.models.ports import ModelId
from rapport.models.spans import NOWHERE, Answered, Pairs, answers, padded
from rapport.models.torch_reader import TorchReader, open_network
from rapport.models.tuning.course import Course
from rapport.models.tuning.network import freeze
from rapport.models.tuning.recipe import Progress, Recipe
from rapport.models.tuning.texts import mixed, shuffled

# Of the encoder and of the scores on top of it, which begin at nothing.
_ENCODER_STEP, _HEAD_STEP = 1e-4, 1e-3
# Windows a pass when nothing is learned.
_TOGETHER = 16
_HIDDEN = -1e4


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer is `passage` from character `start` to before `end`; both 0: the passage does not answer."""

    question: str
    passage: str
    start: int = 0
    end: int = 0

    @property
    def answer(self) -> str:
        return self.passage[self.start : self.end]


@dataclass(frozen=True, slots=True)
class _Window:
    ids: list[int]
    first: int
    start: int
    end: int


def tune_reader(
    folder: Path,
    train: Sequence[Asked],
    quality: Callable[[TorchReader], tuple[float, str]],
    recipe: Recipe,
    progress: Progress,
) -> TorchReader:
    """`folder`: the encoder to start from. `quality`: of the network as it is then, the higher the better, and in
    words. Some minutes for a thousand questions on a CPU.

    Raises `ModelError` for an encoder of a family that is not trained here.
    """
    torch.manual_seed(recipe.seed)
    network, pairs = open_network(folder, torch.float32), Pairs(folder)
    freeze(network.base_model, recipe)
    windows = [window for one in train for window in _windows(one, pairs)]
    sequences = [window.ids for window in windows]
    reader = TorchReader(network, pairs, ModelId("shop/answers", f"{recipe.seed}-{len(train)}"))
    inner = [weight for weight in network.base_model.parameters() if weight.requires_grad]
    rates = [
        {"params": inner, "lr": recipe.rate or _ENCODER_STEP},
        {"params": network.qa_outputs.parameters(), "lr": _HEAD_STEP},
    ]
    steps = recipe.epochs * math.ceil(len(windows) / recipe.batch)

    def look() -> tuple[float, str]:
        network.eval()
        return quality(reader)

    def loss(batch: Sequence[int]) -> torch.Tensor:
        return _loss(network, [windows[at] for at in batch], pairs.padding)

    def batches(epoch: int) -> list[list[int]]:
        return shuffled(sequences, recipe.batch, recipe.seed + epoch)

    Course(network, rates, steps, recipe, progress).run(batches, loss, look)
    return reader


def read(reader: TorchReader, asked: Sequence[tuple[str, str]]) -> list[Answered | None]:
    """The best span for each (question, passage); None for a passage without text."""
    windows = [(at, pair) for at, (question, passage) in enumerate(asked) for pair in reader.windows(question, passage)]
    order = sorted(range(len(windows)), key=lambda at: len(windows[at][1].ids))
    rows = np.empty((len(windows), reader.dimensions), np.float32)
    with mixed():
        for begin in range(0, len(order), _TOGETHER):
            places = order[begin : begin + _TOGETHER]
            rows[places] = reader.forward([windows[at][1].ids for at in places])
    owners = np.array([at for at, _ in windows])
    found: list[Answered | None] = []
    for at in range(len(asked)):
        own = np.flatnonzero(owners == at)
        best = answers([windows[one] for one in own], rows[own])
        found.append(best[0] if best else None)
    return found


def strangers(asked: Sequence[Asked], share: float, seed: int) -> list[Asked]:
    """Questions of `asked`, a `share` of them, each with another's passage, which does not answer it."""
    dice = random.Random(seed)
    drawn = dice.sample(asked, round(share * len(asked)))
    others = [dice.choice(asked) for _ in drawn]
    return [
        Asked(one.question, other.passage)
        for one, other in zip(drawn, others, strict=True)
        if other.passage != one.passage and (not one.answer or one.answer not in other.passage)
    ]


def _windows(one: Asked, pairs: Pairs) -> list[_Window]:
    found = []
    for pair in pairs.windows(one.question, one.passage):
        start, end = pair.tokens(one.start, one.end) if one.end else (NOWHERE, NOWHERE)
        found.append(_Window(pair.ids, pair.first, start, end))
    return found


def _loss(network: Any, windows: Sequence[_Window], padding: int) -> torch.Tensor:
    ids, mask = padded([window.ids for window in windows], padding)
    may = torch.zeros(ids.shape, dtype=torch.bool)
    for row, window in enumerate(windows):
        may[row, NOWHERE] = may[row, window.first : len(window.ids) - 1] = True
    with mixed():
        scores = network(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask).long())
    total = torch.zeros(())
    for logits, places in (
        (scores.start_logits, [window.start for window in windows]),
        (scores.end_logits, [window.end for window in windows]),
    ):
        total = total + torch.nn.functional.cross_entropy(
            logits.float().masked_fill(~may, _HIDDEN), torch.tensor(places)
        )
    return total / 2
