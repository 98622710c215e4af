"""Days named in a message, in English and Chinese, as shoppers say them: when something was ordered or arrived.

A general parser (dateparser) took order numbers for years and 11月3日 for a day in December: here only unmistakable
forms count, and a day without a year is the last one that has been.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COUNTS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<year>20\d\d))?"


@dataclass(frozen=True, slots=True)
class NamedDay:
    day: date
    start: int
    end: int


def named_days(text: str, today: date) -> Iterator[NamedDay]:
    """Days that `text` names, from left to right for each form; impossible ones (31 June) are left out."""
    for pattern, read in _FORMS:
        for match in pattern.finditer(text):
            try:
                day = read(match, today)
            except ValueError:
                continue
            yield NamedDay(day, match.start(), match.end())


def _iso(match: re.Match[str], _: date) -> date:
    return date(int(match["year"]), int(match["month"]), int(match["day"]))


def _by_name(match: re.Match[str], today: date) -> date:
    return _past(match["year"], _MONTHS.index(match["month"].lower()) + 1, int(match["day"]), today)


def _chinese(match: re.Match[str], today: date) -> date:
    return _past(match["year"], int(match["month"]), int(match["day"]), today)


def _past(year: str | None, month: int, day: int, today: date) -> date:
    """The day in `year`, else the last one that is not to come."""
    if year:
        return date(int(year), month, day)
    this_year = date(today.year, month, day)
    return this_year if this_year <= today else date(today.year - 1, month, day)


def _relative(match: re.Match[str], today: date) -> date:
    words = {"today": 0, "yesterday": 1, "今天": 0, "昨天": 1, "前天": 2}
    return today - timedelta(days=words[match[0].lower()])


def _ago(match: re.Match[str], today: date) -> date:
    count = match["count"]
    number = int(count) if count.isdecimal() else _COUNTS[count.lower()]
    return today - timedelta(days=number * (7 if match["unit"].lower() in {"week", "周", "星期", "礼拜"} else 1))


def _weekday(match: re.Match[str], today: date) -> date:
    """The last such day: said on a Tuesday, "Tuesday" is a week ago."""
    back = (today.weekday() - _WEEKDAYS.index(match["weekday"].lower())) % 7
    return today - timedelta(days=back or 7)


def _chinese_weekday(match: re.Match[str], today: date) -> date:
    """上周二: of the week before this one."""
    monday = today - timedelta(days=today.weekday() + (7 if match["last"] else 0))
    return monday + timedelta(days="一二三四五六日天".index(match["weekday"]) if match["weekday"] != "天" else 6)


_Reader = Callable[[re.Match[str], date], date]
_FORMS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (r"(?<!\d)(?P<year>20\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)", _iso),
        (rf"\b{_DAY} (?:of )?{_MONTH}{_YEAR}\b", _by_name),
        (rf"\b{_MONTH} {_DAY}{_YEAR}\b", _by_name),
        (r"(?:(?P<year>20\d\d)年)?(?<!\d)(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号]", _chinese),
        (r"\b(?:today|yesterday)\b|今天|昨天|前天", _relative),
        (r"\b(?P<count>\d{1,2}|an?|one|two|three) (?P<unit>day|week)s? ago\b", _ago),
        (r"(?P<count>\d{1,2}|[一二两三四五六七八九十])个?(?P<unit>天|周|星期|礼拜)(?:之?前)", _ago),
        (rf"\b(?:on |last |this )(?P<weekday>{'|'.join(_WEEKDAYS)})\b", _weekday),
        (r"(?P<last>上个?)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])", _chinese_weekday),
    )
)
