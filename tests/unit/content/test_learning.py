"""Which copy the copywriter learns from, and when a version counts as better."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapport.events.content import ContentPublished
from rapport.ops.errors import InvalidRequest
from services.content.domain.experiments.board import Board
from services.content.training.dataset import Example, examples_of, grounded, parted, read_examples
from services.content.training.judging import Judgement, better, judged

from .conftest import brief, handlers
from .test_experiments import experiment, fill

QUESTION = "Write one short sentence.\nProduct: Trail Runner 2\nDiscount: 20% off"


async def content(request_id: str, **changes: object) -> ContentPublished:
    service, _ = handlers()
    made = (await service.create(brief(request_id=request_id, variants=2, writer="template"), "default")).content
    return made.model_copy(update=changes)


async def test_approved_copy_and_better_variations_are_learned_from() -> None:
    board = Board()
    tried = experiment()
    board.define("default", tried)
    fill(board.tally("default", tried.experiment_id), ("a", 200, 10), ("b", 200, 60))
    found = examples_of(
        [
            await content("q-0"),
            await content("q-1", experiment_id=tried.experiment_id, content_id=tried.content_id),
            await content("q-2", approved_by="Mia"),
        ],
        board,
        "default",
        every=False,
    )
    assert [example.why for example in found].count("performed") <= 1
    assert {example.why for example in found} >= {"approved"}
    assert all(example.turns[-1][0] == "user" and example.answer for example in found)
    every = examples_of([await content("q-0")], board, "default", every=True)
    assert {example.why for example in every} == {"published"}
    assert examples_of([await content("q-0")], board, "default", every=False) == []


async def test_copy_with_a_figure_that_its_question_lacks_is_not_learned() -> None:
    made = await content("q-0", approved_by="Mia")
    (first, *_) = made.variants
    invented = first.model_copy(update={"words": f"{first.words} It was €129."})
    kept = examples_of([made.model_copy(update={"variants": (invented,)})], Board(), "default", every=True)
    assert kept == []
    assert grounded(first.prompt[-1].content, "Fernhill Trail Runner 2, 20% off until 12 March.")


def test_answers_to_one_question_are_on_one_side() -> None:
    examples = [Example((("user", f"q{n % 10}"),), f"a{n}", "en", "file") for n in range(40)]
    learn, held = parted(examples, 0.2, 1)
    assert len(learn) + len(held) == 40
    assert not {e.turns for e in learn} & {e.turns for e in held}


def test_a_wrong_example_is_named_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"turns": [["user", "q"]], "answer": "a"}\n{"answer": "a"}\n', encoding="utf-8")
    with pytest.raises(InvalidRequest) as caught:
        read_examples(file)
    assert caught.value.field == f"{file}:2"


def test_grounded_answers_name_the_product_and_no_other_figure() -> None:
    examples = [Example((("user", QUESTION),), "", "en", "file")]
    assert judged(examples, 2.0, lambda _: "Trail Runner 2 is 20% off.").grounded == 1.0
    assert judged(examples, 2.0, lambda _: "Trail Runner 2 is 30% off.").grounded == 0.0
    assert judged(examples, 2.0, lambda _: "A shoe is 20% off.").grounded == 0.0


@pytest.mark.parametrize(
    ("tuned", "wins"),
    [
        (Judgement(3.0, 0.9, 0.9), True),
        (Judgement(6.0, 1.0, 1.0), False),
        (Judgement(3.0, 0.7, 0.9), False),
        (Judgement(3.0, 0.9, 0.8), False),
    ],
)
def test_better_is_likelier_and_no_less_true_or_readable(tuned: Judgement, wins: bool) -> None:
    assert better(Judgement(5.0, 0.8, 0.9), tuned) is wins
