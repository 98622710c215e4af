"""Regular expressions that hold decoding to a brief: the product is named, and no figure but the brief's is written.

The checks decide all the same. A shape spares the model the tries that they would refuse.
"""

from __future__ import annotations

import re

from services.content.domain.checking.numbers import numbers
from services.content.domain.facts import Facts
from services.content.domain.templates import WordsSlot

# Letters without digits and without the signs that figures, links and mark-up begin with; no capitals: no other names.
_FREE = {"en": "[a-z ,'-]", "zh": "[\u4e00-\u9fff,、]"}
_END = {"en": "[.!?]", "zh": "[。!?]"}
# Characters between the parts, at most: longer stretches wander off. Before the name: "Welcome back, take a look at ".
_STRETCH, _LEAD = 48, 36
# Of an opening line, in characters without its end: shorter ones ("A car seat.") open nothing.
_LEAST_OPENING = {"en": 18, "zh": 6}


def shape(kind: str, facts: Facts, slot: WordsSlot) -> str | None:
    """The pattern for a model's words; None where the language has none."""
    if facts.code not in _FREE:
        return None
    free, end = _FREE[facts.code], _END[facts.code]
    if slot.task == "opening":
        first = "[A-Z]" if facts.code == "en" else free
        return f"{first}{free}{{{_LEAST_OPENING[facts.code]},{min(_STRETCH, slot.max_characters - 2)}}}{end}"
    name = re.escape(facts.products[0].short)
    told = "|".join(re.escape(text) for text in _figures(kind, facts))
    lead = f"(?:[A-Z]{free}{{0,{_LEAD}}} )?" if facts.code == "en" else f"(?:{free}{{0,{_LEAD}}})?"
    end = "" if kind == "subject_line" else end
    if not told:
        return f"{lead}{name}{free}{{0,{_STRETCH}}}{end}"
    # English figures are words of their own: a space before each, and the last word before it is whole.
    between = f",? (?:{free}{{0,{_STRETCH}}}[a-z] )?" if facts.code == "en" else f"{free}{{0,{_STRETCH}}}"
    rest = f"(?:,? {free}{{0,{_STRETCH // 2}}}[a-z])?" if facts.code == "en" else f"{free}{{0,{_STRETCH // 2}}}"
    least = 1 if kind == "campaign" and facts.discount_percent is not None else 0
    return f"{lead}{name}(?:{between}(?:{told})){{{least},3}}{rest}{end}"


def _figures(kind: str, facts: Facts) -> list[str]:
    """The figures that may be written, as they are written."""
    first = facts.products[0]
    found = []
    if facts.discount_percent is not None:
        found.append(facts.discount_text if facts.chinese else f"{facts.discount_text} off")
    price = first.sale_price if first.sale_price is not None else first.price
    if price is not None and first.currency is not None:
        found.append(first.shown(price))
    if facts.ends_at is not None:
        found.append(f"截至{facts.day(facts.ends_at)}" if facts.chinese else f"until {facts.day(facts.ends_at)}")
    if kind == "product_description":
        # Quantities of the description, each with its unit.
        found += [number.text for number in numbers(first.description) if number.measure == "quantity"]
    return list(dict.fromkeys(found))
