"""Intents from a shop's own examples: read, learned, registered, taken over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rapport.models.heads import SoftmaxHead
from rapport.models.ports import ModelId
from rapport.models.registry import Registry
from rapport.models.tuning.kinds import HEAD
from rapport.models.versions import Version
from rapport.ops.errors import InvalidRequest, ModelError, UnavailableError
from rapport.testing.models import FakeEncoder
from services.chatbot.adapters.trained_intents import TrainedIntents
from services.chatbot.domain.understanding import Understanding
from services.chatbot.training.examples import beside, read_examples
from services.chatbot.training.intents import act_from, learn_intents
from services.chatbot.training.versions import NAME

SUBJECTS = {
    "price_match": "cheaper elsewhere {} match that price",
    "gift": "wrap this {} as a present please",
    "loyalty": "how many points {} on my card",
}
WORDS = ["lamp", "kettle", "tent", "sofa", "mug", "shirt", "phone", "bike", "pan", "rug", "vase", "clock"]
EXAMPLES = [(text.format(word), intent) for intent, text in SUBJECTS.items() for word in WORDS]


def file_of(folder: Path, lines: list[str]) -> Path:
    file = folder / "examples.csv"
    file.write_text("\n".join(["text,intent", *lines]) + "\n", encoding="utf-8")
    return file


async def learned_version(folder: Path, space: str = "fake@1") -> Version:
    texts, intents = zip(*EXAMPLES, strict=True)
    vectors = (await FakeEncoder().embed(texts)).vectors
    learned = learn_intents(ModelId("fake", "1"), vectors, intents)
    (folder / "fitted").mkdir()
    learned.head.save(folder / "fitted")
    learned.facts.save(folder / "fitted")
    return Registry(folder).register(folder / "fitted", name=NAME, kind=HEAD, requires={"encoder": space})


def test_rows_that_cannot_be_used_are_named_and_the_others_stay(tmp_path: Path) -> None:
    good = [f"please wrap the {word},gift" for word in WORDS]
    given = read_examples(file_of(tmp_path, [*good, ",gift", "no intent,", "please wrap the lamp,loyalty", good[0]]))
    assert len(given.pairs) == len(WORDS)
    assert [line.partition(":")[0] for line in given.refused] == ["row 13", "row 14", "row 15"]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["hello,greet"], r"greet has 1 \(row 1\)"),
        (["a,greet", "hi,", "b,greet"], r"greet has 2 \(row 1, 3\).*row 2: intent is empty"),
        ([], "lacks the columns"),
        ([",x"] * 3, "lacks the columns.*row 1: text is empty"),
    ],
)
def test_a_file_that_teaches_nothing_is_refused_by_its_rows(lines: list[str], says: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=says):
        read_examples(file_of(tmp_path, lines))


@pytest.mark.parametrize(
    ("lines", "says"),
    [(["hello,out_of_scope"], "nothing but out_of_scope"), (["hi,greet", "wrap it,gift"], "not learned: greet")],
)
def test_a_file_to_calibrate_on_must_be_about_what_is_learned(lines: list[str], says: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=says) as caught:
        beside(file_of(tmp_path, lines), "text", "intent", {"gift"}, "--validate")
    assert caught.value.field == "--validate"


def test_bytes_of_another_encoding_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "examples.csv"
    file.write_bytes("\n".join(["text,intent", *[f"Größe {word},size" for word in WORDS]]).encode("latin-1"))
    with pytest.raises(InvalidRequest, match="row 1: not UTF-8"):
        read_examples(file)


async def test_a_promoted_version_tells_the_intents_and_a_withdrawn_one_does_not(tmp_path: Path) -> None:
    understanding, relearned = Understanding.load(), list[bool]()
    trained = TrainedIntents(understanding, lambda: relearned.append(True))
    version = await learned_version(tmp_path)
    with pytest.raises(UnavailableError):
        await trained.use(version)  # no encoder has answered: tried again later
    understanding.learn("fake@1", await _some_head(), 1.0)
    await trained.use(version)
    embedded = await FakeEncoder().embed(["how many points are there on my card"])
    guesses = understanding.guesses(embedded.vectors[0], embedded.model)
    assert guesses[0].name == "loyalty"
    assert guesses[0].probability > 0.5
    await trained.use(None)
    assert relearned
    assert understanding.guesses(embedded.vectors[0], embedded.model)[0].name == "knowledge"


async def test_a_version_of_another_encoder_is_refused(tmp_path: Path) -> None:
    understanding = Understanding.load()
    understanding.learn("fake@1", await _some_head(), 1.0)
    with pytest.raises(ModelError, match="other@2"):
        await TrainedIntents(understanding, _nothing).use(await learned_version(tmp_path, "other@2"))


def test_what_is_acted_on_was_mostly_right() -> None:
    probabilities = np.linspace(1, 0.5, 100)
    right = np.array([True] * 60 + [False, True] * 20)
    threshold = act_from(probabilities, right, np.ones(100, bool))
    acted = probabilities >= threshold
    assert right[acted].mean() >= 0.93
    assert acted.sum() > 60
    assert act_from(probabilities, ~right, np.ones(100, bool)) == 1.0


async def _some_head() -> SoftmaxHead:
    texts, intents = zip(*EXAMPLES, strict=True)
    return learn_intents(ModelId("first", "1"), (await FakeEncoder().embed(texts)).vectors, intents).head


def _nothing() -> None: ...
