"""Mending what a language model wrote, before it is asked again: wrong sentences go, missing facts are added by
code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport.text.sentences import split_sentences
from services.content.domain.checking.passage import one_form
from services.content.domain.checking.problem import Problem
from services.content.domain.facts import Facts

# Problems that no leaving out and no adding mends.
_HOPELESS = frozenset({"language", "empty", "duplicate", "characters"})


@dataclass(frozen=True, slots=True)
class Repaired:
    text: str
    steps: tuple[str, ...]


def repair(
    text: str, problems: Sequence[Problem], facts: Facts, limit: int, *, opening: bool = False
) -> Repaired | None:
    """`text` mended as far as can be, or None when nothing of the model's would remain. `limit`: most characters.

    `opening`: the text is an opening line, to which nothing is added.
    """
    if any(problem.code in _HOPELESS for problem in problems):
        return None
    kept, steps = _without_wrong(text, problems)
    if not kept:
        return None
    joint = "" if facts.chinese else " "
    body = joint.join(kept)
    if len(body) > limit:
        while len(kept) > 1 and len(joint.join(kept)) > limit:
            kept = kept[:-1]
        steps.append("left out the end")
        body = joint.join(kept)
    name = facts.products[0].short
    known = [one_form(name).lower() for product in facts.products for name in product.names]
    if not opening and not any(name in one_form(body).lower() for name in known):
        body = f"{name}:{body}" if facts.chinese else f"{name}: {body}"
        steps.append("named the product")
    if not opening and any(problem.code == "offer" for problem in problems):
        ended = (
            body.rstrip()
            if body.rstrip().endswith((".", "!", "?", "。", "！", "？"))
            else body.rstrip() + ("。" if facts.chinese else ".")
        )
        body = f"{ended}{joint}{offer_sentence(facts)}"
        steps.append("stated the offer")
    return Repaired(body, tuple(steps)) if steps else None


def offer_sentence(facts: Facts) -> str:
    """The brief's discount as a sentence of code's own."""
    first = facts.products[0]
    if facts.chinese:
        until = f",截至{facts.day(facts.ends_at)}" if facts.ends_at else ""
        return f"现享{facts.discount_text},现价{first.shown(first.sale_price)}{until}。"
    until = f" until {facts.day(facts.ends_at)}" if facts.ends_at else ""
    return f"Now {first.shown(first.sale_price)}, {facts.discount_text} off{until}."


def _without_wrong(text: str, problems: Sequence[Problem]) -> tuple[list[str], list[str]]:
    quotes = [problem.quote.strip().lower() for problem in problems if problem.quote.strip()]
    kept, steps = [], []
    for sentence in split_sentences(text):
        wrong = [quote for quote in quotes if quote in one_form(sentence.text).lower()]
        if wrong:
            steps.append(f"left out a sentence ({wrong[0]})")
        else:
            kept.append(sentence.text)
    return kept, steps
