"""The models without weights behave enough like models."""

from __future__ import annotations

import numpy as np
import pytest

from rapport.models.ports import Role, Rows
from rapport.models.text_ports import Sampling
from rapport.serving.dummy import DummyDecoder, DummyEncoder, DummyHead


def embed(*texts: str) -> Rows:
    encoder = DummyEncoder()
    return encoder.forward(encoder.tokenize(texts, Role.PASSAGE))


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("red cotton shirt", "a shirt of soft cotton in red", "electric kettle for the kitchen"),
        ("红色纯棉衬衫", "纯棉的红色衬衫很舒服", "不锈钢电热水壶"),
    ],
)
def test_shared_words_make_texts_near(text: str, near: str, far: str) -> None:
    rows = embed(text, near, far)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


def test_rows_are_unit_vectors_and_always_the_same() -> None:
    texts = ["", "!!!", "one", "a b c " * 400, "混合 mixed"]
    assert np.allclose(np.linalg.norm(embed(*texts), axis=1), 1, atol=1e-6)
    assert np.array_equal(embed(*texts), embed(*texts))
    assert np.array_equal(embed(*texts)[2], embed("one")[0])


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("this is terrible and broken", "negative"),
        ("perfect, I love it", "positive"),
        ("when does it come", "neutral"),
        ("我很喜欢", "positive"),
        ("质量太差", "negative"),
    ],
)
def test_telling_words_decide_the_sentiment(text: str, label: str) -> None:
    head = DummyHead()
    probabilities = head.probabilities(embed(text))
    assert head.labels[int(probabilities.argmax())] == label
    assert probabilities.sum() == pytest.approx(1)


def say(text: str, sampling: Sampling) -> str:
    decoder = DummyDecoder()
    decoding = decoder.begin(decoder.prompt([("system", "be kind"), ("user", text)]), sampling)
    said = ""
    while not (step := decoder.step([decoding])[0]).ended:
        said += step.text
    return said


def test_says_back_what_it_was_told_last() -> None:
    assert say("hello 你好 world", Sampling()) == "hello 你好 world"


def test_the_seed_decides_the_order() -> None:
    text = "one two three four five six"
    shuffled = say(text, Sampling(temperature=1, seed=3))
    assert shuffled == say(text, Sampling(temperature=1, seed=3))
    assert shuffled != say(text, Sampling(temperature=1, seed=4))
    assert sorted(shuffled.split()) == sorted(text.split())
