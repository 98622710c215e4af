"""Which copy is worth learning from: what people approved, and what customers answered to."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport.events.content import ContentPublished, Variant
from rapport.ops.errors import InvalidRequest
from services.content.domain.checking.numbers import numbers
from services.content.domain.checking.passage import one_form
from services.content.domain.experiments.board import Board

# A variation counts as performing well from this many customers on, if it is above its experiment's mean.
_ENOUGH = 50


@dataclass(frozen=True, slots=True)
class Example:
    """What the model is asked, and what it should answer. `why`: approved, performed, or published."""

    turns: tuple[tuple[str, str], ...]
    answer: str
    language: str
    why: str


def examples_of(contents: Iterable[ContentPublished], board: Board, tenant: str, *, every: bool) -> list[Example]:
    """Approved copy and well-performing variations; `every`: all published copy besides. Each text once.

    Left out is copy with figures that its question does not have (a template may tell the price before): a model that
    learned it would learn to invent them.
    """
    found: dict[tuple[str, str], Example] = {}
    for content in contents:
        for variant in content.variants:
            why = _why(content, variant, board, tenant) or ("published" if every else "")
            if why and variant.words and variant.prompt and grounded(variant.prompt[-1].content, variant.words):
                turns = tuple((turn.role, turn.content) for turn in variant.prompt)
                found[turns[-1][1], variant.words] = Example(turns, variant.words, content.language, why)
    return list(found.values())


def read_examples(path: Path) -> list[Example]:
    """JSON lines with `turns` (role and text), `answer` and `language`. Raises `InvalidRequest` naming the line."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            turns = tuple((str(role), str(text)) for role, text in row["turns"])
            found.append(Example(turns, str(row["answer"]), str(row.get("language", "en")), "file"))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidRequest(f"not an example: {error}", field=f"{path}:{number}") from error
    return found


def grounded(question: str, text: str) -> bool:
    """Whether `text` names the product and holds no figure that the question does not have."""
    name = next((line.removeprefix("Product: ") for line in question.splitlines() if line.startswith("Product: ")), "")
    asked = {(number.value, number.measure) for number in numbers(one_form(question))}
    rest = one_form(text).replace(one_form(name), " ")
    return bool(name) and one_form(name) in one_form(text) and all((n.value, n.measure) in asked for n in numbers(rest))


def parted(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """To learn from, and held out; all answers to one question are on one side."""
    questions = sorted({example.turns[-1][1] for example in examples})
    random.Random(seed).shuffle(questions)
    held = set(questions[: max(1, round(share * len(questions)))])
    return [e for e in examples if e.turns[-1][1] not in held], [e for e in examples if e.turns[-1][1] in held]


def _why(content: ContentPublished, variant: Variant, board: Board, tenant: str) -> str:
    if content.approved_by is not None:
        return "approved"
    experiment = board.get(tenant, content.experiment_id) if content.experiment_id else None
    if experiment is None:
        return ""
    tally = board.tally(tenant, experiment.experiment_id)
    counts = [tally.of(info.variation_id) for info in experiment.variations]
    own = tally.of(variant.variant_id)
    customers, successes = sum(c.customers for c in counts), sum(c.successes for c in counts)
    good = own.customers >= _ENOUGH and own.successes / own.customers > successes / customers
    return "performed" if good else ""
