"""A classifier of text from examples that the shop labelled: sentiment, aspects, customer types, or any other task.

`head`: a softmax on the vectors of the encoder that serves everything else; fitted in seconds, served at no cost.
`full` and `lora`: the encoder is trained as well, and the version brings its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rapport.models import heads
from rapport.models.ports import ModelId, Role
from rapport.models.sets import chosen
from rapport.models.sources import locate
from rapport.ops.settings import Settings
from rapport.serving.loading import load_encoder
from services.profiler.training.examples import Example, split
from services.profiler.training.fine_tune import Recipe, fine_tune, predict
from services.profiler.training.scoring import Scores, score
from services.profiler.training.vectors import vectors_of

How = Literal["head", "full", "lora"]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Learned:
    """`save` writes the version's files; `scores`: on the examples set aside, which nothing was fitted on."""

    save: Callable[[Path], None]
    kind: str
    scores: Scores
    requires: Mapping[str, str]


def learn(
    task: str,
    examples: Sequence[Example],
    how: How,
    recipe: Recipe,
    test_share: float,
    settings: Settings,
    progress: Progress,
) -> Learned:
    """Raises `ModelError` when the encoder is not there."""
    kept, aside = split(examples, test_share, recipe.seed)
    progress(f"{len(kept)} examples to learn from, {len(aside)} set aside for the test")
    learned = _head if how == "head" else _tuned
    return learned(task, kept, aside, recipe, settings, progress)


def _head(
    task: str, kept: list[Example], aside: list[Example], recipe: Recipe, settings: Settings, progress: Progress
) -> Learned:
    backend = load_encoder(settings, ()).backend
    progress(f"embedding with {backend.model}")
    rows = vectors_of(backend, [each.text for each in kept], Role.QUERY)
    identity = ModelId(f"shop/{task}", f"{recipe.seed}-{len(kept)}")
    fitted = heads.fit(identity, rows, [each.label for each in kept], Role.QUERY)
    unseen = vectors_of(backend, [each.text for each in aside], Role.QUERY)
    scores = score(fitted.head.probabilities(unseen), fitted.head.labels, [each.label for each in aside])
    return Learned(fitted.head.save, "head", scores, {"encoder": str(backend.model)})


def _tuned(
    task: str, kept: list[Example], aside: list[Example], recipe: Recipe, settings: Settings, progress: Progress
) -> Learned:
    choice = chosen(settings.models).encoder
    folder = locate(choice, settings.models.cache)
    tuned = fine_tune(folder, choice.prefixes, kept, recipe, progress)
    shares = predict(tuned.network, [each.text for each in aside])
    scores = score(shares, tuned.network.labels, [each.label for each in aside])
    identity = ModelId(f"shop/{task}", f"{recipe.method}-{recipe.seed}-{tuned.seen}")
    # The head goes with the encoder beside it: a worker that serves another one must refuse it.
    own = {"encoder": f"{identity.id}-encoder@{identity.revision}"}
    return Learned(lambda place: tuned.network.save(place, identity), "classifier", scores, own)
