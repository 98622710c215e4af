"""Intents with an encoder of their own: what is none of them, and who answers while the worker has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rapport.models.heads import SoftmaxHead, fit
from rapport.models.ports import ModelId, Role
from rapport.models.registry import Registry
from rapport.models.tuning.examples import Example
from rapport.models.tuning.kinds import CLASSIFIER
from rapport.ops.errors import UnavailableError
from rapport.serving.client import Classified
from rapport.testing.models import FakeClassifier, FakeEncoder
from services.chatbot.adapters.trained_intents import TrainedIntents
from services.chatbot.domain.conversation import Conversation
from services.chatbot.domain.reading import OUT_OF_SCOPE, Context
from services.chatbot.domain.understanding import Understanding
from services.chatbot.training import report
from services.chatbot.training.fitting import Fitted
from services.chatbot.training.tuned import with_scope, with_words
from services.chatbot.training.versions import NAME, Facts
from services.chatbot.understanding import Reader
from tests.unit.chatbot.test_training import EXAMPLES

ENCODER = FakeEncoder()
LEARNED = [Example(intent, text) for text, intent in EXAMPLES]
UNSEEN = [Example(each.label, f"{each.text} today") for each in LEARNED]
STRANGE = ["when does the moon rise over Iceland", "teach me a song about frogs", "who won yesterday's chess final"]
FACTS = Facts(act_from=0.5, accuracy=0.9, by_intent={"gift": 0.9})


def vectors(texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.stack([ENCODER.vector(text) for text in texts])


def fitted(*more: Example) -> SoftmaxHead:
    learned = [*LEARNED, *more]
    texts, intents = [each.text for each in learned], [each.label for each in learned]
    return fit(ModelId("fake", "1"), vectors(texts), intents, Role.QUERY).head


def said(head: SoftmaxHead, learned: list[Example], texts: list[str], give_up: float = 0.0) -> list[str]:
    unseen = vectors([each.text for each in UNSEEN])
    whole = with_scope(with_words(head, learned, UNSEEN, unseen), UNSEEN, unseen, give_up)
    return [whole.labels[at] for at in whole.probabilities(vectors(texts), texts).argmax(axis=1)]


def test_what_is_like_no_example_is_out_of_scope_and_the_rest_is_told() -> None:
    assert said(fitted(), LEARNED, STRANGE) == [OUT_OF_SCOPE] * len(STRANGE)
    texts = [each.text for each in UNSEEN]
    assert said(fitted(), LEARNED, texts) == [each.label for each in UNSEEN]
    given_up = [label == OUT_OF_SCOPE for label in said(fitted(), LEARNED, texts, give_up=0.25)]
    assert 0 < sum(given_up) <= 0.3 * len(texts)


def test_examples_of_what_is_out_of_scope_are_learned_too() -> None:
    words = ["tell", "me", "please", "now", "then"]
    other = [Example(OUT_OF_SCOPE, f"{text} {word}") for text in STRANGE[:2] for word in words]
    found = said(fitted(*other), [*LEARNED, *other], [STRANGE[0], UNSEEN[0].text])
    assert found == [OUT_OF_SCOPE, UNSEEN[0].label]


def test_the_report_counts_what_is_wrongly_left_out() -> None:
    rows = np.eye(2, dtype=np.float32)
    told = {"a": rows[0], "b": rows[1], "c": rows[1], "d": rows[0]}
    one = Fitted(CLASSIFIER, FACTS, ("gift", OUT_OF_SCOPE), lambda t: np.stack([told[x] for x in t]), Path.mkdir, {})
    found = report.tested(one, {"a": "gift", "b": "gift", "c": OUT_OF_SCOPE, "d": OUT_OF_SCOPE})
    assert (found.in_scope, found.out_of_scope, found.sentences) == (0.5, 0.5, 4)


async def test_the_worker_tells_promoted_intents_and_is_done_without_when_away(tmp_path: Path) -> None:
    understanding = Understanding.load()
    understanding.learn("fake@1", fitted(), 0.0)
    words = {"sentiment": {"neutral": list[str]()}, NAME: {"gift": ["wrap"], "loyalty": ["points"]}}
    classifier = FakeClassifier(words)
    reader = Reader(ENCODER, classifier, understanding, timeout_s=3.0)
    context = Context(Conversation("default", "t-1"), "en")
    assert (await reader.read("cheaper elsewhere, wrap it", context)).intent == "price_match"
    (tmp_path / "files").mkdir()
    FACTS.save(tmp_path / "files")
    version = Registry(tmp_path).register(tmp_path / "files", name=NAME, kind=CLASSIFIER)
    trained = TrainedIntents(understanding, lambda: None)
    await trained.use(version)
    assert (await reader.read("cheaper elsewhere, wrap it", context)).intent == "gift"
    away = Reader(ENCODER, Away(words), understanding, timeout_s=3.0)
    assert (await away.read("cheaper elsewhere, wrap it", context)).intent == "price_match"
    await trained.use(None)
    assert (await reader.read("cheaper elsewhere, wrap it", context)).intent == "knowledge"


class Away(FakeClassifier):
    async def classify(self, *_: Any, **__: Any) -> Classified:
        raise UnavailableError("away")
