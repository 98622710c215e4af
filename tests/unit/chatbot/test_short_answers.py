"""The words of a quotation that answer, once a reader is promoted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rapport.models.registry import Registry
from rapport.ops.errors import InvalidRequest, ModelError, UnavailableError
from rapport.serving.client import Span
from services.chatbot.adapters.trained_answers import TrainedAnswers
from services.chatbot.training.answer_examples import read_answers
from services.chatbot.training.answer_names import FACTS, KIND, NAME
from services.chatbot.training.span_scores import score
from tests.unit.chatbot.conftest import ARTICLES, Bot

PASSAGE = "Standard shipping costs €4.90. Express shipping costs €9.90."


async def test_a_reply_carries_the_words_that_answer_within_its_quotation(bot: Bot) -> None:
    [plain] = (await bot.reply("How long can I return things?")).sources
    assert (plain.answer_start, plain.answer_end) == (None, None)
    bot.short.words = "30 days"
    [source] = (await bot.reply("How long can I return things?", "m-2")).sources
    assert ARTICLES[0].body[source.answer_start : source.answer_end] == "30 days"
    assert source.quote == plain.quote


async def test_words_outside_the_quotation_are_not_pointed_at(bot: Bot) -> None:
    bot.short.words = "Personalised items"
    [source] = (await bot.reply("How long can I return things?")).sources
    assert "within 30 days" in source.quote
    assert (source.answer_start, source.answer_end) == (None, None)


class Worker:
    """`ReaderClient`, as sure as told."""

    def __init__(self, probability: float) -> None:
        self.probability, self.away = probability, False

    async def extract(self, question: str, passages: list[str], *, timeout_s: float) -> list[Span]:
        if self.away:
            raise UnavailableError("no reader is promoted")
        return [Span(0, 24, 29, self.probability, "shop/answers@1")]


async def test_answers_are_pointed_at_when_sure_enough_while_a_version_is_promoted(tmp_path: Path) -> None:
    def files(folder: Path) -> None:
        (folder / FACTS).write_text(json.dumps({"least": 0.4}), encoding="utf-8")

    worker = Worker(0.5)
    answers = TrainedAnswers(worker, timeout_s=3.0)  # type: ignore[arg-type]
    assert await answers.find("What does shipping cost?", PASSAGE) is None
    await answers.use(Registry(tmp_path).make(files, name=NAME, kind=KIND))
    assert await answers.find("What does shipping cost?", PASSAGE) == (24, 29)
    worker.probability = 0.3
    assert await answers.find("What does shipping cost?", PASSAGE) is None
    worker.probability, worker.away = 0.5, True
    assert await answers.find("What does shipping cost?", PASSAGE) is None
    worker.away = False
    with pytest.raises(ModelError):
        await answers.use(Registry(tmp_path).make(files, name="other", kind="head"))
    assert await answers.find("What does shipping cost?", PASSAGE) == (24, 29)
    await answers.use(None)
    assert await answers.find("What does shipping cost?", PASSAGE) is None


def file_of(tmp_path: Path, *rows: object) -> Path:
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return file


def test_questions_are_read_with_the_place_of_their_answer(tmp_path: Path) -> None:
    row = {"question": "What does express cost?", "passage": PASSAGE}
    given = file_of(tmp_path, row | {"answer": "€9.90"}, row | {"answer": "costs", "start": 48}, row | {"answer": ""})
    found = read_answers(given, least=1)
    assert [(one.start, one.answer) for one in found] == [(54, "€9.90"), (48, "costs"), (0, "")]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{broken", "row 1"),
        ({"passage": PASSAGE, "answer": ""}, "row 1 of answers.jsonl: question"),
        ({"question": "?", "passage": PASSAGE, "answer": "costs"}, "row 1 of answers.jsonl: start"),
        ({"question": "?", "passage": PASSAGE, "answer": "€4.90", "start": 3}, "row 1 of answers.jsonl: start"),
        ({"question": "?", "passage": PASSAGE, "answer": 4}, "row 1 of answers.jsonl: answer"),
    ],
)
def test_a_wrong_row_is_named_with_its_field(tmp_path: Path, row: object, told: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        read_answers(file_of(tmp_path, row), least=1)
    assert told in str(error.value)


def test_a_file_of_few_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="at least 50"):
        read_answers(file_of(tmp_path, {"question": "?", "passage": PASSAGE, "answer": ""}))


def test_spans_are_scored_as_squad_does() -> None:
    assert score("the Denver Broncos", ["Denver Broncos."], "en") == (1.0, 1.0)
    assert score("Denver", ["Denver Broncos"], "en")[1] == pytest.approx(2 / 3)
    assert score("三十天", ["三十天内"], "zh")[1] == pytest.approx(6 / 7)
