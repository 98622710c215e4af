"""A classifier of text from labelled examples, as a version to register: sentiment, aspects, intents, any task.

kind `head`: a classifier on the vectors of the encoder that serves everything else; fitted in seconds, served at no
cost. kind `classifier`: the encoder was trained as well, and the version brings its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport.models import heads, lexical
from rapport.models.calibration import temperature
from rapport.models.encoders import open_encoder
from rapport.models.heads import SoftmaxHead
from rapport.models.lexical import LexicalHead
from rapport.models.ports import ModelId, Rows, SequenceBackend
from rapport.models.sets import chosen
from rapport.models.sources import locate
from rapport.models.tuning.examples import Example, labels_of, split, truth_of
from rapport.models.tuning.kinds import CLASSIFIER, HEAD
from rapport.models.tuning.recipe import ROLE, Progress, Recipe
from rapport.models.tuning.regression import regress
from rapport.models.tuning.scoring import Scores, score
from rapport.models.tuning.vectors import vectors_of
from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import Settings

# Share of the examples that a multi-label head is calibrated on.
_CALIBRATING = 0.1


@dataclass(frozen=True, slots=True)
class Learned:
    """`save` writes the version's files. `head` reads `vectors` of texts: for its scores, probabilities, energies.
    `scores`: on the test examples, which nothing was fitted on.
    """

    kind: str
    head: SoftmaxHead | LexicalHead
    vectors: Callable[[Sequence[str]], Rows]
    save: Callable[[Path], None]
    scores: Scores
    requires: Mapping[str, str]


def learn(
    task: str,
    train: Sequence[Example],
    test: Sequence[Example],
    recipe: Recipe,
    settings: Settings,
    progress: Progress,
) -> Learned:
    """Raises `ModelError` when the encoder is not there, or is of a family that is not trained here; `InvalidRequest`
    for examples without a label, unless several labels may apply.
    """
    if not recipe.multi_label and not all(example.label for example in train):
        raise InvalidRequest("an example without a label", field="label", fix="name one, or train with multi_label")
    progress(f"{len(train)} examples to learn from, {len(test)} set aside for the test")
    name = f"shop/{task}"
    choice = chosen(settings.models).encoder
    folder = locate(choice, settings.models.cache)
    if recipe.multi_label and recipe.method == "words":
        raise InvalidRequest("words tell one label of a text", field="method", fix="head, full or lora")
    if recipe.method in ("head", "words"):
        backend = open_encoder(folder, choice, settings.models, settings.worker)
        return _on(backend, name, train, test, recipe, progress)
    from rapport.models.tuning.fine_tune import fine_tune

    tuned = fine_tune(name, folder, choice.prefixes, train, recipe, progress)
    scores = _tested(tuned.head, tuned.vectors, test, recipe)
    return Learned(CLASSIFIER, tuned.head, tuned.vectors, tuned.save, scores, {})


def _on(
    backend: SequenceBackend,
    name: str,
    train: Sequence[Example],
    test: Sequence[Example],
    recipe: Recipe,
    progress: Progress,
) -> Learned:
    def vectors(texts: Sequence[str]) -> Rows:
        return vectors_of(backend, texts, ROLE)

    progress(f"embedding with {backend.model}")
    identity = ModelId(name, f"{recipe.seed}-{len(train)}")
    head: SoftmaxHead | LexicalHead
    texts, answers = [each.text for each in train], [each.label for each in train]
    if recipe.multi_label:
        head = _several(identity, train, vectors, recipe.seed)
    elif recipe.method == "words":
        head = lexical.fit(identity, vectors(texts), texts, answers, ROLE).head
    else:
        head = heads.fit(identity, vectors(texts), answers, ROLE).head
    requires = {"encoder": str(backend.model)}
    return Learned(HEAD, head, vectors, head.save, _tested(head, vectors, test, recipe), requires)


def _several(
    model: ModelId, train: Sequence[Example], vectors: Callable[[Sequence[str]], Rows], seed: int
) -> SoftmaxHead:
    labels = labels_of(train)
    kept, aside = split(train, _CALIBRATING, seed)
    weights, biases = regress(vectors([each.text for each in kept]), truth_of(kept, labels), independent=True)
    raw = SoftmaxHead(model, labels, ROLE, weights, biases, independent=True)
    scores = raw.scores(vectors([each.text for each in aside]))
    divisor = temperature(scores, truth_of(aside, labels), independent=True)
    return SoftmaxHead(model, labels, ROLE, weights, biases, divisor, independent=True)


def _tested(
    head: SoftmaxHead | LexicalHead,
    vectors: Callable[[Sequence[str]], Rows],
    test: Sequence[Example],
    recipe: Recipe,
) -> Scores:
    texts = [each.text for each in test]
    said = head.probabilities(vectors(texts), texts)
    return score(said, head.labels, truth_of(test, head.labels), multi_label=recipe.multi_label)
