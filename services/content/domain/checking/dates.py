"""Days in a text: those that name a day of the calendar, and those that only make sense on some day ("tomorrow")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.content.domain.checking.problem import Problem
from services.content.domain.facts import Facts

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = "|".join(f"{name}|{name[:3]}\\.?" for name in _MONTHS)
_DAY = re.compile(
    rf"\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m1>{_MONTH})\b(?:,? (?P<y1>\d{{4}})\b)?"
    rf"|\b(?P<m2>{_MONTH}) (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<y2>\d{{4}})\b)?"
    r"|\b(?P<y3>\d{4})[-/.](?P<m3>\d{1,2})[-/.](?P<d3>\d{1,2})\b"
    r"|(?:(?P<y4>\d{4})年)?(?P<m4>\d{1,2})月(?P<d4>\d{1,2})[日号]",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"(?:\b(?:until|till|til|through|thru|to|by|ends?|ending|end on|before|valid to|expires?)|截至|"
    r"截止到?|直到|至|到|止于)\s*(?:on )?$",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"(?:\b(?:from|starting|starts?|begins?|beginning|since|as of)|自|从|于)\s*(?:on )?$", re.IGNORECASE
)
# What follows a Chinese date can say its part: 3月1日起, 3月12日止.
_STARTS_AFTER, _ENDS_AFTER = re.compile(r"\s*(?:起|开始|开抢)"), re.compile(r"\s*(?:止|截止|结束|前)")
_RELATIVE = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|weekends?|midnight|noon|this (?:week|month|year|season)|"
    r"next (?:week|month|year)|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|all (?:week|month|year)|(?:black|cyber) \w+day|"
    r"24/7|christmas|easter|new year|(?:the )?(?:end|start|middle) of (?:the )?(?:day|week|month|year|season)|"
    r"(?:one|two|three|a few|\d+) (?:hours?|days?|weeks?) only|payday|bank holiday)\b"
    r"|今天|今日|今晚|明天|明日|昨天|后天|本周|这周|下周|上周|本月|下个?月|周末|"
    r"星期[一二三四五六日天]|周[一二三四五六日]|当天|次日|隔日|即日起?|双十一|双十二|六一八|春节|国庆|圣诞|元旦|年底|年初|年末|[月季]底|月初|月末|周内|明早|"
    r"中秋|端午|情人节|母亲节|父亲节|开学季|今年内|近期内",
    re.IGNORECASE,
)
_LONE_MONTH = re.compile(
    rf"\b(?:in|of|this|all|since|until|by) (?:{'|'.join(_MONTHS)})\b|\d{{1,2}}月份?(?!\d)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Found:
    day: int
    month: int
    year: int | None
    start: int
    end: int
    text: str


def date_problems(bare: str, facts: Facts) -> tuple[list[Problem], str]:
    """What is wrong with the days in `bare`, and `bare` without the days, whose digits count nothing else."""
    problems = []
    rest = bare
    for found in _days(bare):
        if not _told(found, bare, facts):
            problems.append(Problem("date", f"date that is not in the brief: {found.text}", found.text))
        rest = rest[: found.start] + " " * (found.end - found.start) + rest[found.end :]
    known = facts.evidence.lower()
    problems += [
        Problem("date", f"time that is not in the brief: {match.group()}", match.group())
        for match in _RELATIVE.finditer(rest)
        if match.group().lower() not in known
    ]
    for match in _LONE_MONTH.finditer(rest):
        problems.append(Problem("date", f"date that is not in the brief: {match.group()}", match.group()))
        rest = rest[: match.start()] + " " * (match.end() - match.start()) + rest[match.end() :]
    return problems, rest


def _days(text: str) -> Iterator[_Found]:
    for match in _DAY.finditer(text):
        part = next(i for i in "1234" if match[f"d{i}"])
        month = match[f"m{part}"].rstrip(".").lower()
        number = int(month) if month.isdigit() else [name[:3] for name in _MONTHS].index(month[:3]) + 1
        year = match[f"y{part}"]
        yield _Found(
            int(match[f"d{part}"]), number, int(year) if year else None, match.start(), match.end(), match.group()
        )


def _told(found: _Found, text: str, facts: Facts) -> bool:
    """Whether the brief has this day, in the part that the words around it give it: a start is not an end."""
    before, after = text[: found.start], text[found.end :]
    if _ENDS.search(before) or _ENDS_AFTER.match(after):
        return _same(found, facts.ends_at)
    if _STARTS.search(before) or _STARTS_AFTER.match(after):
        return _same(found, facts.starts_at)
    # 3月1日-3月12日 and "1 March to 12 March" name the start without a word before it.
    if re.match(r"\s*(?:-|–|—|~|to\b|until\b|至|到)", after, re.IGNORECASE):
        return _same(found, facts.starts_at)
    if re.search(r"(?:-|–|—|~)\s*$", before):
        return _same(found, facts.ends_at)
    return False


def _same(found: _Found, moment: datetime | None) -> bool:
    if moment is None or (found.day, found.month) != (moment.day, moment.month):
        return False
    return found.year is None or found.year == moment.year
