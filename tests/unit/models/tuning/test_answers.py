"""A network of random weights learns to point at answers, and its version is served alike."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from rapport.models.ports import Role
from rapport.models.spans import NOWHERE, Pairs
from rapport.models.torch_reader import TorchReader
from rapport.models.tuning.answers import Asked, read, strangers, tune_reader
from rapport.models.tuning.recipe import Recipe
from rapport.ops.errors import ModelError
from rapport.ops.settings import ModelSettings, Settings
from services.chatbot.training.answers import figures, learn_answers
from tests.unit.models.tiny import tiny_encoder

WORDS = ["lamp", "kettle", "scarf", "arrives", "soon", "and", "looks", "good"]
PRICES = ["ten", "twenty", "thirty", "forty"]


def asked(number: int, seed: int = 0) -> list[Asked]:
    """The word behind "costs" answers."""
    dice, found = random.Random(seed), []
    for _ in range(number):
        before, price = " ".join(dice.choices(WORDS, k=dice.randrange(1, 6))), dice.choice(PRICES)
        passage = f"{before} costs {price} {' '.join(dice.choices(WORDS + PRICES, k=3))}"
        start = len(before) + len(" costs ")
        found.append(Asked("what price", passage, start, start + len(price)))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("tiny") / "encoder", [*WORDS, *PRICES, "what price costs"])


def test_what_is_learned_is_served_alike(folder: Path, tmp_path: Path) -> None:
    settings = Settings(models=ModelSettings(encoder=str(folder), cache=tmp_path))
    said: list[str] = []
    recipe = Recipe(epochs=30, batch=16, rate=3e-3, words=True, patience=30)
    learned = learn_answers(asked(150), asked(30, seed=1), recipe, settings, said.append)
    [found] = figures(learned, asked(40, seed=2))
    assert found.exact > 0.9
    assert (found.language, found.questions) == ("en", 40)
    assert learned.f1 == pytest.approx(
        max(float(f1) for line in said for f1 in re.findall(r"F1 ([\d.]+)", line)), abs=6e-4
    )
    learned.save(tmp_path)
    served = TorchReader.open(tmp_path, "answers", "cpu", 1)
    one = asked(1, seed=3)[0]
    [span] = read(served, [(one.question, one.passage)])
    assert span is not None
    assert one.passage[span.start : span.end] == one.answer
    assert served.forward(served.tokenize([one.passage] * 3, Role.PASSAGE)).shape == (3, 4)


def test_a_long_passage_is_read_in_windows_that_overlap(folder: Path) -> None:
    pairs = Pairs(folder, window=32, shared=8)
    passage = " ".join(["lamp"] * 60 + ["costs ten"] + ["scarf"] * 20)
    windows = pairs.windows("what price", passage)
    assert len(windows) > 2
    assert all(len(pair.ids) <= 32 and pairs.first(pair.ids) == pair.first for pair in windows)
    start = passage.index("ten")
    held = [pair for pair in windows if pair.tokens(start, start + 3) != (NOWHERE, NOWHERE)]
    assert held
    assert all(pair.characters(*pair.tokens(start, start + 3)) == (start, start + 3) for pair in held)
    assert windows[0].offsets[0][0] == 0
    assert windows[-1].offsets[-1][1] == len(passage)


def test_marks_in_a_question_do_not_move_the_passage(folder: Path) -> None:
    pairs = Pairs(folder)
    [window] = pairs.windows("what [SEP] price", "lamp costs ten")
    assert pairs.first(window.ids) == window.first
    assert window.characters(window.first, window.first) == (0, 4)


def test_strangers_get_passages_that_do_not_answer() -> None:
    given = asked(50)
    found = strangers(given, 0.5, seed=0)
    assert 0 < len(found) <= 25
    assert all(not one.end for one in found)


def test_an_encoder_of_another_family_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}', encoding="utf-8")
    with pytest.raises(ModelError):
        tune_reader(tmp_path, asked(4), lambda _: (0.0, ""), Recipe(), print)
