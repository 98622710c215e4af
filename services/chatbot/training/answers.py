"""Learning to point at answers, from which probability on one is shown, and how good they are."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from rapport.models.quiet import quiet
from rapport.models.sets import chosen
from rapport.models.sources import locate
from rapport.models.torch_reader import TorchReader
from rapport.models.tuning.answers import Asked, read, strangers, tune_reader
from rapport.models.tuning.network import COPIED
from rapport.models.tuning.recipe import Progress, Recipe
from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import Settings
from services.chatbot.training.answer_names import FACTS
from services.chatbot.training.span_scores import language_of, score

Mark = tuple[float, float, float]
"""Exact match, F1 and probability of the best span."""

# Set aside where no validation file is given: whole passages, for questions of one passage help each other.
_ASIDE = 0.1
# So many of the questions are learned with a passage of another question too, as not answered; of those set aside all
# are tried so.
_STRANGERS = 0.2


@dataclass(frozen=True, slots=True)
class Figures:
    """`exact`, `f1`: of questions that are answered, the best span always taken. `kept`, `false`: share of those and of
    the others whose span is likely enough to be shown; `kept_f1`: of those shown."""

    language: str
    questions: int
    exact: float
    f1: float
    kept: float
    kept_f1: float
    false: float

    def line(self) -> str:
        return (
            f"{self.language}: {self.questions} questions, EM {self.exact:.3f}, F1 {self.f1:.3f}; "
            f"shown {self.kept:.2f} (F1 {self.kept_f1:.3f}), where nothing answers {self.false:.2f}"
        )


@dataclass(frozen=True, slots=True)
class Learned:
    """`least`: the probability from which on a span is shown. `f1`: on the questions set aside."""

    reader: TorchReader
    least: float
    f1: float
    folder: Path

    def save(self, folder: Path) -> None:
        """The files of a version."""
        with quiet():
            self.reader.network.to(torch.bfloat16).save_pretrained(folder, safe_serialization=True)
        for pattern in COPIED:
            for file in self.folder.glob(pattern):
                shutil.copy2(file, folder / file.name)
        (folder / FACTS).write_text(json.dumps({"least": self.least}) + "\n", encoding="utf-8")


def learn_answers(
    given: Sequence[Asked], aside: Sequence[Asked], recipe: Recipe, settings: Settings, progress: Progress
) -> Learned:
    """`aside`: to stop and calibrate by; none: the questions of a tenth of the passages. Raises as `tune_reader`,
    and `InvalidRequest` when none of them is answered."""
    train = list(given)
    if not aside:
        train, aside = set_aside(train, recipe.seed)
    progress(f"{len(train)} questions to learn, {len(aside)} set aside")
    train += strangers([one for one in train if one.end], _STRANGERS, recipe.seed)
    answered, other = _parts(aside, recipe.seed)
    if not answered:
        raise InvalidRequest("no question is answered", field="--validate", fix="give some with an answer")
    looks: list[tuple[float, list[Mark]]] = []

    def quality(reader: TorchReader) -> tuple[float, str]:
        marks = _marked(reader, answered)
        exact, f1 = _means([mark[:2] for mark in marks])
        looks.append((f1, marks))
        return f1, f"EM {exact:.3f}, F1 {f1:.3f}"

    folder = locate(chosen(settings.models).encoder, settings.models.cache)
    reader = tune_reader(folder, train, quality, recipe, progress)
    # The first of equals: at that look the weights were kept.
    f1, marks = max(looks, key=lambda look: look[0])
    return Learned(reader, _least(marks, _sure(reader, other)), round(f1, 4), folder)


def figures(learned: Learned, asked: Sequence[Asked], seed: int = 0) -> list[Figures]:
    """By language; every question that is answered is also tried with a passage that does not answer it."""
    found = []
    for language in sorted({language_of(one.question) for one in asked}):
        own = [one for one in asked if language_of(one.question) == language]
        answered, other = _parts(own, seed)
        marks = _marked(learned.reader, answered)
        exact, f1 = _means([mark[:2] for mark in marks])
        shown = [mark[1] for mark in marks if mark[2] >= learned.least]
        wrong = [one for one in _sure(learned.reader, other) if one >= learned.least]
        shares = len(shown) / max(1, len(marks)), sum(shown) / max(1, len(shown)), len(wrong) / max(1, len(other))
        found.append(Figures(language, len(answered), exact, f1, *shares))
    return found


def set_aside(asked: Sequence[Asked], seed: int) -> tuple[list[Asked], list[Asked]]:
    """What is left, and the questions of a tenth of the passages."""
    passages = sorted({one.passage for one in asked})
    drawn = set(random.Random(seed).sample(passages, max(1, round(_ASIDE * len(passages)))))
    return [one for one in asked if one.passage not in drawn], [one for one in asked if one.passage in drawn]


def _least(answered: Sequence[Mark], other: Sequence[float]) -> float:
    """Where most is right: F1 of the spans shown, and 1 for what is rightly not shown (SQuAD 2.0's best threshold).
    `other`: probabilities where nothing answers."""
    gains = sorted([(mark[2], mark[1]) for mark in answered] + [(probability, -1.0) for probability in other])
    right = best = sum(gain for _, gain in gains)
    least = 0.0
    for (sure, gain), (after, _) in zip(gains, [*gains[1:], (1.0, 0.0)], strict=True):
        right -= gain
        if right > best:
            best, least = right, (sure + after) / 2
    return round(least, 4)


def _parts(asked: Sequence[Asked], seed: int) -> tuple[list[Asked], list[Asked]]:
    """Those that are answered, and those that are not, with as many questions put to a passage of others."""
    answered = [one for one in asked if one.end]
    return answered, [one for one in asked if not one.end] + strangers(answered, 1.0, seed)


def _marked(reader: TorchReader, asked: Sequence[Asked]) -> list[Mark]:
    found = read(reader, [(one.question, one.passage) for one in asked])
    return [
        (*score(one.passage[span.start : span.end], [one.answer], language_of(one.passage)), span.probability)
        if span
        else (0.0, 0.0, 0.0)
        for one, span in zip(asked, found, strict=True)
    ]


def _sure(reader: TorchReader, asked: Sequence[Asked]) -> list[float]:
    found = read(reader, [(one.question, one.passage) for one in asked])
    return [span.probability if span else 0.0 for span in found]


def _means(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Of both columns; 0 without any."""
    columns = list(zip(*pairs, strict=True)) or [(0.0,), (0.0,)]
    return sum(columns[0]) / len(columns[0]), sum(columns[1]) / len(columns[1])
