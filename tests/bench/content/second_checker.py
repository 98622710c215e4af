"""A second checker, written apart from the service's: shares no code, no word list and no reading of numbers with it.

It asks other questions: every run of digits, every spelled number and every word of its own short list must be found in
the brief's own facts, by string search. It knows nothing of measures and roles, except that a price or discount of the
text must be one of the brief's by value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Truth:
    """What the brief says, as the bench made it: not what the service read out of it."""

    names: Sequence[str]
    catalogue: str
    """All texts of the catalogue for the products."""
    prices: Sequence[Decimal]
    discount: Decimal | None
    starts: datetime | None
    ends: datetime | None


_ALWAYS_FACTS = (
    "free", "guarantee", "warranty", "best", "perfect", "cheapest", "lowest", "unbeatable", "limited",
    "exclusive", "only today", "last chance", "hurry", "award", "certified", "organic", "vegan",
    "sustainable", "eco", "waterproof", "leather", "cotton", "wool", "silk", "handmade", "made in",
    "imported", "new", "bestsell", "popular", "rated", "proven", "clinically", "doctor", "cure", "heal",
    "shipping", "delivery", "returns", "refund", "gift", "bonus", "stock", "luxury", "premium",
    "durable", "lightweight", "breathable", "soft", "fast", "safe", "natural", "professional",
    "lifetime", "million", "thousand", "number one", "ultimate", "ignore", "instruction", "http", "www",
    "tomorrow", "tonight", "weekend", "monday", "friday", "sunday", "midnight",
    "免费", "包邮", "赠", "保修", "质保", "最好", "最佳", "最低", "第一", "顶级", "极致", "唯一",
    "国家级", "全网", "限量", "限时抢", "独家", "最后", "今天", "明天", "周末", "防水", "真皮", "纯棉",
    "羊毛", "真丝", "有机", "环保", "进口", "手工", "全新", "新品", "爆款", "热销", "正品", "会员",
    "治", "疗", "瘦身", "认证", "专利", "完美", "永久", "忽略", "指令", "明星", "奢华", "高端",
    "透气", "轻便", "保暖",
)  # fmt: skip
_WAYS_OUT = ("Reply STOP to opt out.", "退订回T")
_SPELLED = frozenset(
    [
        "half",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "hundred",
        "dozen",
        "twice",
        "double",
    ]
)
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905 - read at a glance


def findings(text: str, truth: Truth, *, chinese: bool) -> list[str]:
    """What in `text` the brief does not bear out."""
    rest = _plain(text)
    for words in sorted({*truth.names, *_WAYS_OUT}, key=len, reverse=True):
        rest = rest.replace(_plain(words), " ")
    known = _plain(truth.catalogue)
    return [*_figures(rest, known, truth), *_spelled(rest, known, chinese=chinese), *_words(rest, known, truth)]


def _figures(rest: str, known: str, truth: Truth) -> Iterator[str]:
    allowed = _numbers(truth)
    for digits in re.findall(r"\d[\d.,]*", rest):
        value = _value(digits)
        if value is None or (value not in allowed and digits.strip(".,") not in known):
            yield f"number {digits}"
    for sign in re.findall(r"[%折€£$¥]", rest):
        if sign in "%折" and truth.discount is None and sign not in known:
            yield f"sign {sign} without a discount"
        if sign in "€£$¥" and not truth.prices:
            yield f"sign {sign} without a price"


def _spelled(rest: str, known: str, *, chinese: bool) -> Iterator[str]:
    yield from (f"number word {w}" for w in re.findall(r"[a-z]+", rest) if w in _SPELLED and w not in known)
    for zh in re.findall(r"[一二三四五六七八九十两半]+(?=折|年|天(?!的)|元|件|双|倍|成|小时|个月)", rest):
        if zh not in known and not (zh == "一" and chinese):
            yield f"number word {zh}"


def _words(rest: str, known: str, truth: Truth) -> Iterator[str]:
    for month in _MONTHS:
        found = re.search(rf"\b{month.lower()}\b", rest) and (month != "May" or re.search(r"\d+ may|may \d+", rest))
        if found and month not in _months(truth) and month.lower() not in known:
            yield f"month {month}"
    for word in _ALWAYS_FACTS:
        pattern = rf"\b{re.escape(word)}" if word.isascii() else re.escape(word)
        if re.search(pattern, rest) and not re.search(pattern, known):
            yield f"fact word {word}"


def _plain(text: str) -> str:
    kept = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return re.sub(r"\s+", " ", kept).casefold().strip()


def _numbers(truth: Truth) -> set[Decimal]:
    found: set[Decimal] = set()
    for price in truth.prices:
        found.add(price.normalize())
        if truth.discount is not None:
            sale = (price * (100 - truth.discount) / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP")
            found |= {sale.normalize(), (price - sale).normalize()}
    if truth.discount is not None:
        found |= {truth.discount.normalize(), ((100 - truth.discount) / 10).normalize()}
    for moment in (truth.starts, truth.ends):
        if moment is not None:
            found |= {
                Decimal(moment.day).normalize(),
                Decimal(moment.month).normalize(),
                Decimal(moment.year).normalize(),
            }
    return found


def _months(truth: Truth) -> set[str]:
    return {_MONTHS[moment.month - 1] for moment in (truth.starts, truth.ends) if moment is not None}


def _value(digits: str) -> Decimal | None:
    stripped = digits.strip(".,").replace(",", "")
    try:
        return Decimal(stripped).normalize()
    except ArithmeticError:
        return None
