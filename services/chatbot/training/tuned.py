"""Intents by an encoder of their own: it learns on the shop's sentences, and a classifier of their words joins it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rapport.models.calibration import softmax, temperature
from rapport.models.heads import SoftmaxHead
from rapport.models.lexical import LexicalHead
from rapport.models.ngrams import Ngrams
from rapport.models.ports import Rows
from rapport.models.sets import chosen
from rapport.models.sources import locate
from rapport.models.tuning.examples import Example, split, truth_of
from rapport.models.tuning.fine_tune import fine_tune
from rapport.models.tuning.recipe import Progress, Recipe
from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import Settings
from services.chatbot.domain.reading import OUT_OF_SCOPE
from services.chatbot.training.versions import NAME

# Set aside where no validation file is given.
_ASIDE = 0.1
# Of the validation examples, so many are looked at along the way; all of them each time would double the time.
_LOOKED_AT = 1000
# How much the words may count beside the encoder, to choose from on the validation examples.
_WORD_SHARES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class TunedIntents:
    """`head` reads the texts and their `vectors`; `save` writes the encoder into a folder."""

    head: LexicalHead
    vectors: Callable[[Sequence[str]], Rows]
    save: Callable[[Path], None]
    validation: Sequence[Example]

    def probabilities(self, texts: Sequence[str]) -> Rows:
        """float32 [texts, labels of the head]."""
        return self.head.probabilities(self.vectors(texts), texts)


def learn_tuned(
    examples: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,
    give_up: float,
    settings: Settings,
    progress: Progress,
) -> TunedIntents:
    """`validation`: to calibrate on; none: a part of `examples` is set aside for it.

    `give_up`: share of the validation examples told rightly that may be taken for out of scope; what is less like the
    examples than all but these is out of scope. Raises what `fine_tune` does, and `InvalidRequest` where nothing is in
    scope.
    """
    train = list(examples)
    if not validation:
        train, validation = split(train, _ASIDE, recipe.seed)
    inside = [each for each in validation if each.label != OUT_OF_SCOPE]
    if not inside:
        raise InvalidRequest("no validation example is in scope", field="--validate")
    _, looked_at = split(inside, min(1.0, _LOOKED_AT / len(inside)), recipe.seed)
    choice = chosen(settings.models).encoder
    folder = locate(choice, settings.models.cache)
    tuned = fine_tune(f"shop/{NAME}", folder, choice.prefixes, train, recipe, progress, looked_at)
    vectors = tuned.vectors([each.text for each in inside])
    head = with_words(tuned.head, train, inside, vectors)
    return TunedIntents(
        with_scope(head, inside, vectors, give_up), tuned.vectors, tuned.network.save_encoder, validation
    )


def with_words(tuned: SoftmaxHead, train: Sequence[Example], unseen: Sequence[Example], vectors: Rows) -> LexicalHead:
    """`tuned` joined with a linear support vector machine on the texts' n-grams, calibrated on `unseen` and their
    `vectors`. The machine takes seconds where a regression on as many n-grams takes minutes.
    """
    from sklearn.svm import LinearSVC

    texts = [each.text for each in train]
    ngrams = Ngrams.of(texts)
    columns = [tuned.labels.index(each.label) for each in train]
    machine = LinearSVC().fit(ngrams.rows(texts), columns)
    weights = np.zeros((len(tuned.labels), len(ngrams.buckets)), np.float32)
    biases = np.zeros(len(tuned.labels), np.float32)
    told = machine.classes_ if len(machine.classes_) > 2 else machine.classes_[1:]
    weights[told], biases[told] = machine.coef_, machine.intercept_
    by_words = np.asarray(ngrams.rows([each.text for each in unseen]) @ weights.T + biases)
    by_meaning, truth = tuned.scores(vectors), truth_of(unseen, tuned.labels)

    def surprise(share: float) -> tuple[float, float]:
        joined = by_meaning + share * by_words
        divisor = temperature(joined, truth)
        return -float(np.log(np.maximum(softmax(joined / divisor)[truth], 1e-12)).mean()), divisor

    share = min(_WORD_SHARES, key=lambda one: surprise(one)[0])
    divisor = surprise(share)[1]
    dense = replace(
        tuned,
        weights=np.asarray(tuned.weights / divisor, dtype=np.float32),
        biases=np.asarray((tuned.biases + share * biases) / divisor, dtype=np.float32),
        temperature=1.0,
    )
    return LexicalHead(dense, ngrams, share / divisor * weights)


def with_scope(head: LexicalHead, unseen: Sequence[Example], vectors: Rows, give_up: float) -> LexicalHead:
    """`head` with the label out_of_scope, the likeliest where no other score reaches a level (maximum logit, Hendrycks
    et al. 2022, "Scaling out-of-distribution detection for real-world settings"). `vectors`: of the examples `unseen`,
    all in scope; of those told rightly the share `give_up` is given up.

    Where examples of out_of_scope were learned, its score is moved instead, to the same end.
    """
    scores = head.scores(vectors, [each.text for each in unseen])
    truth = truth_of(unseen, head.labels)
    place = head.labels.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in head.labels else None
    others = np.delete(scores, place, axis=1) if place is not None else scores
    told = np.delete(truth, place, axis=1) if place is not None else truth
    rightly = told[np.arange(len(told)), others.argmax(axis=1)]
    own = scores[:, place] if place is not None else np.zeros(len(scores), np.float32)
    margin = others.max(axis=1) - own
    level = float(np.quantile(margin[rightly], give_up))
    dense, words = head.dense, head.weights
    if place is not None:
        biases = dense.biases.copy()
        biases[place] += level
        return replace(head, dense=replace(dense, biases=biases))
    nothing = np.zeros((1, head.dimensions), np.float32)
    grown = replace(
        dense,
        labels=(*dense.labels, OUT_OF_SCOPE),
        weights=np.vstack([dense.weights, nothing]),
        biases=np.append(dense.biases, np.float32(level)),
    )
    return replace(head, dense=grown, weights=np.vstack([words, np.zeros((1, words.shape[1]), np.float32)]))
