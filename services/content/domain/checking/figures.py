"""Prices, discounts and quantities of a text against the brief and the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from services.content.domain.checking.numbers import Number, numbers
from services.content.domain.checking.passage import Passage, one_form
from services.content.domain.checking.problem import Problem
from services.content.domain.facts import Facts, ProductFacts

_WAS = re.compile(
    r"(?:\b(?:instead of|was|were|down from|reduced from|originally|regular(?:ly)?|usually|normally|"
    r"before|list price|rrp|"
    r"full price|used to be|original price|compared (?:to|with))|原价|原来|平时|日常价|吊牌价|市场价|"
    r"以前|此前|专柜价|划线价)\s*(?:price|at|of|is|:)?[\s:为是]*$",
    re.IGNORECASE,
)
_SAVED = re.compile(
    r"(?:\b(?:save|saving|saves|less|minus)|立省|节省|省下?|立减|直降|减免?|优惠)\s*(?:of|:)?\s*$", re.IGNORECASE
)
_OFF_AFTER = re.compile(r"\s*(?:-?\s*(?:off|discount|reduction|savings?|less|price cut)|优惠|折扣)", re.IGNORECASE)
_OFF_BEFORE = re.compile(
    r"(?:\b(?:save|saving|discount(?: of)?|reduced by|less|minus|reduction of|cut by)|优惠|立减|直降|"
    r"降价?|减|省|-)\s*$",
    re.IGNORECASE,
)
_INEXACT = re.compile(
    r"\b(?:up to|as much as|at least|over|more than|nearly|almost|about|around|extra|additional|"
    r"another|from|under|below|only from|starting at)\s*[€$£¥]?\s*$|"
    r"(?:高达|最高|低至|至少|超过?|近|约|额外|再|折上|起步价?|不到|不足|低过|高过)\s*[€$£¥]?\s*$",
    re.IGNORECASE,
)
_AT_LEAST_AFTER = re.compile(r"\s*(?:起|以下|以内|左右|\+|or (?:less|more)|封顶)")
# "€39 a year" is another price than €39.
_RATE_AFTER = re.compile(r"\s*(?:/\s?[a-z]|\b(?:a|an|per|each|every)\s+[a-z]|每)", re.IGNORECASE)
# "20% off lunch" is another offer than 20% off the product, whose mark may follow.
_SCOPE_AFTER = re.compile(
    r"\s+(?!(?:until|till|from|for|now|on|with|and|or|at|instead|through|to|when|if|as|this|these|here|all|is|are|"
    r"price|prices|today|plus|but|while|so|just|in|by|the|your|our|waits?|awaits)\b)[a-z]",
    re.IGNORECASE,
)
_SPELLED = re.compile(
    r"\b(?:half|double|triple|twice|thrice|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"fifteen|twenty|thirty|forty|"
    r"fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|dozens?|percent|per cent|third of|quarter of)\b"
    r"|\bone[- ](?:day|hour|week|month|year|size|piece|third|quarter|time|click|litre|liter)\b"
    r"|半价|对折|买[一二三\d][送赠][一二三\d]|[上成数]?[百千万]+(?=[名位人件次家用好])|"
    r"[一二两三四五六七八九十]倍|翻倍|双倍|[数几][十百千万]",
    re.IGNORECASE,
)


def figure_problems(rest: str, facts: Facts, text: Passage) -> Iterator[Problem]:
    """What is wrong with the numbers of `rest` (the bare text without its dates, places unchanged)."""
    known = {(n.value, n.unit) for n in numbers(one_form(facts.evidence)) if n.measure in {"quantity", "percent"}}
    covered: list[tuple[int, int]] = []
    for number in numbers(rest):
        covered.append((number.start, number.end))
        yield from _number(number, rest, facts, text, known)
    evidence = one_form(facts.evidence).lower()
    for match in _SPELLED.finditer(rest):
        inside = any(start < match.end() and match.start() < end for start, end in covered)
        phrase = rest[match.start() : match.end() + 12].split(" ")
        said = " ".join(phrase[:2]).lower().strip(" .,;!?") in evidence and len(phrase) > 1
        if not inside and not said and not _is_half_price(match.group(), facts):
            yield Problem("quantity", f"quantity that is not in the brief: {match.group()}", match.group())


def without_figures(rest: str) -> str:
    """`rest` with its numbers blanked: what is left are words."""
    for number in numbers(rest):
        rest = rest[: number.start] + " " * (number.end - number.start) + rest[number.end :]
    return rest


def states_offer(rest: str, facts: Facts) -> bool:
    """Whether the discount, or a price after it, is told: a campaign without is no offer."""
    off = facts.discount_percent or Decimal(0)
    sales = {product.sale_price for product in facts.products if product.sale_price is not None}
    for number in numbers(rest):
        if number.measure == "percent" and number.value == off:
            return True
        if number.measure == "zhe" and number.value == (100 - off) / 10:
            return True
        if number.measure == "money" and number.value in sales:
            return True
    return False


def _number(
    number: Number, rest: str, facts: Facts, text: Passage, known: set[tuple[Decimal, str]]
) -> Iterator[Problem]:
    before, after = rest[: number.start], rest[number.end :]
    quote = rest[max(0, number.start - 1) : number.end].strip() if number.measure == "money" else number.text
    plain = f"{number.value:f}"
    if number.measure == "percent":
        if (number.value, number.unit) in known and number.unit not in {"", "off", "discount", "less", "reduction"}:
            return
        if number.value != facts.discount_percent or not _plain_discount(before, after):
            yield Problem("percent", f"number that is not in the brief: {plain} (percent)", quote)
    elif number.measure == "zhe":
        off_percent = facts.discount_percent
        right = off_percent is not None and number.value == (100 - off_percent) / 10
        if not right or _INEXACT.search(before) or _AT_LEAST_AFTER.match(after):
            yield Problem("discount", f"number that is not in the brief: {plain} (折)", quote)
    elif number.measure == "money":
        other = _AT_LEAST_AFTER.match(after) or _RATE_AFTER.match(after) or _INEXACT.search(before)
        if other or not _price(number, before, facts, text):
            yield Problem("price", f"number that is not in the brief: {plain} (price)", quote)
    elif number.measure == "bare" or (number.value, number.unit) not in known:
        yield Problem("quantity", f"number that is not in the brief: {plain} (date or quantity)", quote)


def _plain_discount(before: str, after: str) -> bool:
    """Whether the words around a percentage make it the brief's discount: exactly so much, off the product."""
    told_after = _OFF_AFTER.match(after)
    if not told_after and not _OFF_BEFORE.search(before):
        return False
    rest = after[told_after.end() if told_after else 0 :]
    other = told_after is not None and _SCOPE_AFTER.match(rest)
    return not other and not _INEXACT.search(before) and not _AT_LEAST_AFTER.match(rest)


def _price(number: Number, before: str, facts: Facts, text: Passage) -> bool:
    """Whether it is the price of the product that was named last before it, in the part that the words give it."""
    owner = text.owner(number.start)
    products = facts.products if owner is None else facts.products[owner : owner + 1]
    return any(_price_of(product, number, before) for product in products)


def _price_of(product: ProductFacts, number: Number, before: str) -> bool:
    if number.unit != (product.currency or ""):
        return False
    if _WAS.search(_unsigned(before)):
        return product.sale_price is not None and number.value == product.price
    if _SAVED.search(_unsigned(before)):
        return (
            product.sale_price is not None
            and product.price is not None
            and number.value == product.price - product.sale_price
        )
    return number.value == (product.sale_price if product.sale_price is not None else product.price)


def _unsigned(before: str) -> str:
    return re.sub(r"[€$£¥]\s*$|\b[A-Z]{3}\s*$", "", before)


def _is_half_price(word: str, facts: Facts) -> bool:
    return word in {"半价", "对折"} and facts.discount_percent == 50
