"""Every number in a text and what it measures, in digits or words, English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

Measure = Literal["percent", "zhe", "money", "quantity", "bare"]
CURRENCY_SIGNS = {
    "€": "EUR", "$": "USD", "£": "GBP", "¥": "CNY", "元": "CNY", "块": "CNY", "欧元": "EUR",
    "美元": "USD", "英镑": "GBP",
    "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "pound": "GBP", "pounds": "GBP", "yuan": "CNY",
    "rmb": "CNY", "人民币": "CNY", "bucks": "USD", "日元": "JPY", "₩": "KRW", "₹": "INR",
}  # fmt: skip
_ZH_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | dict(
    zip("〇两俩壹贰叁", (0, 2, 2, 1, 2, 3), strict=True)
)
_ZH_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_UNITS = {
    "mm": "mm|millimet(?:er|re)s?|毫米", "cm": "cm|centimet(?:er|re)s?|厘米|公分",
    "km": "km|kilomet(?:er|re)s?|公里|千米",
    "m": "met(?:er|re)s?|米", "in": "inch(?:es)?|英寸|寸", "ft": "ft|feet|foot|英尺",
    "kg": "kg|kilos?|kilograms?|公斤|千克", "mg": "mg|毫克", "g": "grams?|g|克", "oz": "oz|ounces?|盎司",
    "lb": "lbs?|磅",
    "ml": "ml|millilit(?:er|re)s?|毫升", "l": "lit(?:er|re)s?|l|升", "w": "watts?|w|瓦", "v": "volts?|v|伏",
    "mah": "mah|毫安时?", "h": "hours?|hrs?|h|个?小时", "min": "minutes?|mins?|分钟", "s": "seconds?|secs?|秒",
    "day": "days?|天|日", "week": "weeks?|周|个?星期", "month": "months?|个?月", "year": "years?|yrs?|年|周年|岁",
    "piece": "pieces?|pcs|items?|pairs?|packs?|cups?|x|times|件|个|双|只|条|支|台|瓶|包|盒|片|套|款|张|"
    "枚|对|块装|袋|罐|杯|股|层|步|种|重|位|名|人|次|倍|成",
    "degree": "°c?|degrees?|度", "gb": "gb|tb|mb|hz|khz|mp|dpi|fps|bar|rpm|cc|lm|lumens?|流明|像素",
    "star": "stars?|星",
}  # fmt: skip
_UNIT = re.compile("|".join(rf"(?P<u{i}>{p})" for i, p in enumerate(_UNITS.values())), re.IGNORECASE)
_UNIT_NAMES = list(_UNITS)
# A comma is a decimal point before a currency or a unit alone: in "129,8折" it parts two numbers.
_DIGITS = (
    r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+,\d{1,2}(?!\d)|\d+(?:\.\d+)+"
    r"|\d+,\d{1,2}(?=\s?(?:€|[A-Z]{3}\b|[kcm]?[gml]\b))|\d+"
)
# 一天, 每一个: "a", not "one".
_VAGUE = re.compile(r"一[个种次步天位款份]")
_ZH_NUMBER = r"[零〇一二两俩三四五六七八九十百千万亿壹贰叁]+"
# A Chinese numeral is a number before a unit, 折, 成 or 倍 only: 一 and 万 are in many words that count nothing.
_FOUND = re.compile(
    rf"(?P<digits>{_DIGITS})|(?P<zh>{_ZH_NUMBER})(?=个?(?:折|成|倍|元|块|毛|件|双|只|条|支|台|瓶|包|盒|"
    r"套|款|年|月|天|日|周|小时|分钟|秒"
    r"|毫米|厘米|米|公里|公斤|千克|克|斤|升|毫升|瓦|星|岁|人|位|名|次|重|层|步|种|百分|号|送|点|英寸))"
    r"|(?P<frac>[½⅓⅔¼¾⅕⅛])|百分之(?P<zhpct>[零一二三四五六七八九十百\d]+)"
)


@dataclass(frozen=True, slots=True)
class Number:
    """One number. `unit`: of a quantity its unit, of money its currency ("" unknown), of a percentage the next word."""

    value: Decimal
    measure: Measure
    unit: str
    start: int
    end: int
    text: str


def numbers(text: str) -> Iterator[Number]:
    """All numbers of `text` (in one form, see passage.one_form), in order."""
    for found in _FOUND.finditer(text):
        value = _value(found)
        if value is None or (found["zh"] == "一" and _VAGUE.match(text, found.start())):
            continue
        if found["zhpct"]:
            yield Number(value, "percent", "", found.start(), found.end(), found.group())
            continue
        yield _measured(text, found, value)


def _measured(text: str, found: re.Match[str], value: Decimal) -> Number:
    start, end = found.span()
    before, after = text[:start], text[end:]
    if match := re.match(r"\s*(?:%|per ?cent\b|percent\b|pct\b)", after):
        word = re.match(r"\s*([^\W\d_]+)?", after[match.end() :])
        return Number(
            value,
            "percent",
            (word[1] or "").lower() if word else "",
            start,
            end + match.end(),
            found.group() + match.group(),
        )
    if match := re.match(r"\s*折", after):
        # 85折 and 八五折 are 8.5折.
        if value >= 10:
            value = value / 10
        return Number(value.normalize(), "zhe", "", start, end + match.end(), found.group() + match.group())
    if money := _money(before, after):
        unit, length = money
        return Number(value, "money", unit, start, end + length, found.group() + after[:length])
    if match := re.match(r"[\s-]?", after):
        unit_match = _UNIT.match(after[match.end() :])
        if unit_match and not _goes_on(after[match.end() + unit_match.end() :], unit_match.group()):
            name = _UNIT_NAMES[int((unit_match.lastgroup or "u0")[1:])]
            return Number(
                value,
                "quantity",
                name,
                start,
                end + match.end() + unit_match.end(),
                found.group() + after[: match.end() + unit_match.end()],
            )
    return Number(value, "bare", "", start, end, found.group())


def _goes_on(rest: str, unit: str) -> bool:
    """Whether the unit's letters are the beginning of a longer word."""
    return bool(rest) and unit[-1].isascii() and unit[-1].isalpha() and rest[0].isascii() and rest[0].isalpha()


_SIGN_BEFORE = re.compile(r"(?:([€$£¥₩₹])|(?<![\d.]\s)\b(EUR|USD|GBP|CNY|RMB|JPY|HKD|CHF))\s*$", re.IGNORECASE)
_SIGN_AFTER = re.compile(
    r"\s*(?:(€|£|¥)|(EUR|USD|GBP|CNY|RMB|JPY|HKD|CHF)\b|(欧元|美元|英镑|日元|人民币|元|块(?!装))|"
    r"(euros?|dollars?|pounds?|bucks|yuan)\b)",
    re.IGNORECASE,
)


def _money(before: str, after: str) -> tuple[str, int] | None:
    if match := _SIGN_BEFORE.search(before):
        return _currency(match.group().strip()), 0
    if match := _SIGN_AFTER.match(after):
        return _currency(match.group().strip()), match.end()
    return None


def _currency(sign: str) -> str:
    return CURRENCY_SIGNS.get(sign.lower(), sign.upper().replace("RMB", "CNY"))


def _value(found: re.Match[str]) -> Decimal | None:
    if found["frac"]:
        return Decimal("0.5")
    written = found["digits"] or found["zh"] or found["zhpct"]
    if written[0].isdigit():
        return _decimal(written)
    return _chinese(written)


def _decimal(written: str) -> Decimal | None:
    # 1,299.00 and 1.299,00 and 12,5: the last separator with other than three digits after it is the decimal point.
    head, sep, tail = written.replace(",", "\x00").rpartition("\x00")
    if sep and len(tail.split(".")[0]) != 3 and "." not in tail:
        written = head.replace("\x00", "").replace(".", "") + "." + tail
    else:
        written = written.replace(",", "")
    try:
        return Decimal(written).normalize()
    except InvalidOperation:
        return Decimal(-1)  # something like 1.2.3: no fact has it


def _chinese(written: str) -> Decimal | None:
    if not any(c in _ZH_POWERS for c in written):
        return Decimal("".join(str(_ZH_DIGITS[c]) for c in written))
    total = part = digit = 0
    for c in written:
        if c in _ZH_DIGITS:
            digit = _ZH_DIGITS[c]
        elif _ZH_POWERS[c] >= 10_000:
            total, part, digit = (total + part + digit) * _ZH_POWERS[c], 0, 0
        else:
            part, digit = part + (digit or 1) * _ZH_POWERS[c], 0
    return Decimal(total + part + digit)
