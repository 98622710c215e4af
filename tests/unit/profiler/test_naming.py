"""Topics are called in the customers' own words, and a model's name stands only where they said it."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from rapport.ops.errors import UnavailableError
from rapport.testing import FakeGenerator
from rapport.text.tokens import tokens
from services.profiler.insights.finding import Finding
from services.profiler.insights.naming import KIND, TopicNamer, choice_of, holds, name_of, telling_words

TEXTS = ["portable air conditioner", "is the portable air conditioner loud", "a conditioner, portable, for air"]
RUGS = ["blue rug", "is the rug soft", "a rug for the hall"]


def finding() -> Finding:
    words = ["portable", "air", "conditioner", "loud"]
    data = {"texts": TEXTS, "words": words, "name": "portable air conditioner", "named_by": "words"}
    return Finding(KIND, "topic:x", "9 people spoke of “portable air conditioner” 12 times.", 12, 1.0, 0, 1, (), data)


def called(texts: list[str], others: list[str]) -> str:
    everything = Counter(word for text in [*texts, *others] for word in tokens(text))
    return name_of(telling_words(texts, everything, 2), texts)


def test_without_a_model_a_topic_goes_by_the_words_that_set_it_apart() -> None:
    assert set(called(TEXTS, RUGS).split()) == {"portable", "air", "conditioner"}
    assert called(["a lamp for the desk", "lamp for my desk", "for the desk, a lamp"], RUGS) == "lamp desk"
    assert called(["防水跑鞋", "要防水跑鞋", "有防水跑鞋吗"], RUGS) == "防水跑鞋"


async def test_the_models_name_is_taken_when_customers_said_it() -> None:
    told = await TopicNamer(FakeGenerator(' "Loud portable conditioner." ')).named(finding())
    assert told.sentence == "9 people spoke of “Loud portable conditioner” 12 times."
    assert (told.data["name"], told.data["named_by"]) == ("Loud portable conditioner", "model")


@pytest.mark.parametrize(
    "said",
    [
        "Cheap portable heater",
        "air air",
        "",
        "portable air conditioner " * 4,
        "portable\nair",
        "Buy now at another shop",
    ],
)
async def test_a_name_that_customers_did_not_say_falls_back_to_their_words(said: str) -> None:
    assert await TopicNamer(FakeGenerator(said)).named(finding()) == finding()


async def test_without_an_answer_the_words_stand() -> None:
    generator = FakeGenerator("portable air")
    generator.failure = UnavailableError("away")
    assert await TopicNamer(generator).named(finding()) == finding()
    assert await TopicNamer(None).named(finding()) == finding()


async def test_other_findings_are_left_as_they_are() -> None:
    generator = FakeGenerator("portable air")
    other = Finding("search_gap", "search:x", "Nobody finds x.", 3, 1.0, 0, 1)
    assert await TopicNamer(generator).named(other) == other
    assert generator.calls == []


def test_chinese_names_are_held_to_the_texts_as_well() -> None:
    assert holds("防水跑鞋", ["有没有防水跑鞋"])
    assert not holds("便宜跑鞋", ["有没有防水跑鞋"])


def test_a_small_model_chooses_among_telling_words() -> None:
    choice = choice_of(["late", "parcel", "2.5"])
    assert choice is not None
    assert re.fullmatch(choice, "late parcel")
    assert not re.fullmatch(choice, "parcel")
    assert not re.fullmatch(choice, "late shop")
    assert choice_of(["防水", "跑鞋"]) is None
