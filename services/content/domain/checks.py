"""Checks on finished copy: facts, claims, length. What is not found wrong here may go out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from rapport.ops.errors import ConfigurationError
from rapport.text.normalise import normalise
from services.content.domain.facts import Facts, allowed_numbers, names

# Characters a message may have. SMS: one concatenated message of three GSM segments, or three UCS-2 ones for Chinese.
CHANNEL_LIMITS = {"sms": 459, "push": 178, "banner": 120, "email": 2000}
_SMS_UCS2_LIMIT = 201
_SUBJECT_LIMIT = 70

_HAN = re.compile(r"[\u4e00-\u9fff]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# Number words that state a quantity or share just as digits do.
_SPELLED = re.compile(
    r"\b(half|double|triple|twice|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|hundred|thousand|"
    r"dozen|percent|per cent)\b|[两二三四五六七八九十百千万半]+(?=[折倍成件个元块天年月日小时])|买[一二三]送[一二三]",
    re.IGNORECASE,
)


class ClaimRule(BaseModel):
    """A kind of sentence that copy must not hold, with its reason and source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    languages: tuple[str, ...]
    pattern: re.Pattern[str]
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Checker:
    """Finds what is wrong with copy."""

    rules: Sequence[ClaimRule]

    @classmethod
    def load(cls, path: Path) -> Checker:
        """Raises `ConfigurationError` naming the file and the rule."""
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8"))
            return cls([ClaimRule.model_validate(_folded(entry)) for entry in entries])
        except (ValidationError, yaml.YAMLError) as error:
            raise ConfigurationError(f"rule file cannot be read: {error}", field=str(path)) from error

    def problems(self, text: str, facts: Facts, *, kind: str, channel: str, need: str = "") -> list[str]:
        """Everything wrong with `text`, in words a marketer understands; empty when it may go out.

        `need`: the customer's interest that the text may name, in the words of the catalogue or of their own search.
        """
        plain = normalise(text)
        found = list(_length(plain, facts, kind, channel))
        if not any(normalise(product.name) in plain for product in facts.products):
            found.append(f"does not name {facts.products[0].name}")
        bare = _without_given_words(plain, facts, need)
        if kind == "campaign" and facts.discount_percent is not None and not _states_offer(bare, facts):
            found.append(f"does not state the discount of {facts.discount_text}")
        found += [f"number that is not in the brief: {number}" for number in _foreign_numbers(bare, facts)]
        found += [f"quantity that is not in the brief: {match.group()}" for match in _SPELLED.finditer(bare)]
        language = "zh" if facts.chinese else "en"
        for rule in self.rules:
            match = rule.pattern.search(bare) if language in rule.languages else None
            if match:
                found.append(f"{rule.reason}: {match.group()!r} ({rule.id})")
        if not _in_language(plain, bare, chinese=facts.chinese):
            found.append(f"is not written in {facts.language}")
        return found


def _folded(entry: dict[str, object]) -> dict[str, object]:
    return {**entry, "pattern": re.compile(str(entry["pattern"]), re.IGNORECASE)}


def _length(text: str, facts: Facts, kind: str, channel: str) -> Iterator[str]:
    limit = CHANNEL_LIMITS[channel]
    if channel == "sms" and facts.chinese:
        limit = _SMS_UCS2_LIMIT
    if kind == "subject_line":
        limit = min(limit, _SUBJECT_LIMIT)
    if not text.strip():
        yield "is empty"
    elif len(text) > limit:
        yield f"{len(text)} characters, at most {limit} fit {'a subject line' if kind == 'subject_line' else channel}"


def _without_given_words(text: str, facts: Facts, need: str) -> str:
    """The text less names, descriptions and need, whose numbers and claims are not the copywriter's."""
    given = [*names(facts), need, *(product.description for product in facts.products)]
    for words in sorted((normalise(part) for part in given if part), key=len, reverse=True):
        text = text.replace(words, " ")
    return text


def _foreign_numbers(text: str, facts: Facts) -> Iterator[str]:
    allowed = allowed_numbers(facts)
    for match in _NUMBER.finditer(text):
        kind = _measures(text[: match.start()], text[match.end() :])
        if _value(match.group()) not in getattr(allowed, kind):
            yield f"{match.group()} ({_MEASURES[kind]})"


def _states_offer(text: str, facts: Facts) -> bool:
    """Whether the discount, or a price after it, is told: a campaign without is no offer."""
    off = facts.discount_percent or Decimal(0)
    prices = {product.sale_price for product in facts.products if product.sale_price is not None}
    told: dict[str, set[Decimal]] = {"percent": {off}, "zhe": {(100 - off) / 10}, "money": prices}
    numbers = ((_measures(text[: at.start()], text[at.end() :]), _value(at.group())) for at in _NUMBER.finditer(text))
    return any(value in told.get(kind, ()) for kind, value in numbers)


_MEASURES = {"percent": "percent", "zhe": "折", "money": "price", "dates": "date or quantity"}
_MONEY_BEFORE, _MONEY_AFTER = re.compile(r"[€$£¥]\s*$"), re.compile(r"\s*(€|[A-Z]{3}\b|元|块|euros?\b|dollars?\b)")


def _measures(before: str, after: str) -> str:
    """What a number counts, by the signs around it."""
    if re.match(r"\s*(%|per ?cent)", after):
        return "percent"
    if re.match(r"\s*折", after):
        return "zhe"
    if _MONEY_BEFORE.search(before) or _MONEY_AFTER.match(after):
        return "money"
    return "dates"


def _value(written: str) -> Decimal | None:
    try:
        return Decimal(written.replace(",", "")).normalize()
    except InvalidOperation:
        return None


def _in_language(text: str, bare: str, *, chinese: bool) -> bool:
    """Whether the copywriter's own words (`bare`) are in the language; names in another one may stand among them."""
    han = len(_HAN.findall(text if chinese else bare))
    latin = sum(character.isascii() and character.isalpha() for character in bare)
    # A Chinese character says about as much as three Latin letters.
    return han * 3 > latin if chinese else han * 3 <= latin
