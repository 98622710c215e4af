"""Rule files: what copy must not say, each with the reason and the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rapport.ops.errors import ConfigurationError
from services.content.domain.checking.problem import Code, Problem
from services.content.domain.facts import Facts


class Rule(BaseModel):
    """One kind of sentence that copy must not hold, as written in a rule file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    languages: tuple[str, ...] = Field(min_length=1)
    pattern: re.Pattern[str]
    """Regular expression; case is ignored; the text has NFKC form, given words are marks."""
    reason: str = Field(min_length=1)
    source: str = Field(min_length=1)
    code: Code = "claim"
    unless: re.Pattern[str] | None = None
    """A match within a match of this one is none (最近 is no superlative)."""
    unless_fact: Literal["statement", "prior_price"] | None = None
    """statement: allowed when the brief's statements say the matched words. prior_price: when the brief has one."""
    only_named_market: bool = False
    """True: not for briefs that name no market."""
    market: str = ""
    """From the file's place: rules/markets/cn.yaml. Empty: everywhere."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a folder."""

    rules: Sequence[Rule]

    @classmethod
    def load(cls, folder: Path) -> Rules:
        """`*.yaml` of the folder hold for every market, `markets/*.yaml` for theirs.

        Raises `ConfigurationError` naming the file and what is wrong.
        """
        found: list[Rule] = []
        for path in [*sorted(folder.glob("*.yaml")), *sorted((folder / "markets").glob("*.yaml"))]:
            market = path.stem if path.parent.name == "markets" else ""
            found += [_rule(entry, market, path) for entry in _entries(path)]
        if not found:
            raise ConfigurationError("no rule files", field=str(folder))
        names = [rule.id for rule in found]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigurationError(f"rule ids used twice: {', '.join(twice)}", field=str(folder))
        return cls(tuple(found))

    @property
    def markets(self) -> frozenset[str]:
        return frozenset(rule.market for rule in self.rules if rule.market)

    def forbid_reference(self, facts: Facts) -> bool:
        """Whether a price before may not be told: a rule of the market asks for a proof that the brief does not
        give.
        """
        return any(rule.unless_fact == "prior_price" and _applies(rule, facts) for rule in self.rules)

    def problems(self, bare: str, facts: Facts) -> Iterator[Problem]:
        """Rules that `bare` breaks, in the facts' language and market."""
        for rule in self.rules:
            if facts.code not in rule.languages or not _applies(rule, facts):
                continue
            if match := _first(rule, bare, facts):
                yield Problem(rule.code, f"{rule.reason}: {match!r} ({rule.id})", match)


def _applies(rule: Rule, facts: Facts) -> bool:
    if rule.unless_fact == "prior_price" and facts.prior_price is not None:
        return False
    if rule.market and facts.market is not None and rule.market != facts.market:
        return False
    return not (rule.only_named_market and facts.market is None)


def _first(rule: Rule, bare: str, facts: Facts) -> str:
    allowed = [match.span() for match in rule.unless.finditer(bare)] if rule.unless else []
    said = " ".join(facts.statements).lower() if rule.unless_fact == "statement" else ""
    for match in rule.pattern.finditer(bare):
        inside = any(start <= match.start() and match.end() <= end for start, end in allowed)
        if not inside and not (said and match.group().lower() in said):
            return match.group()
    return ""


def _entries(path: Path) -> list[Any]:
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"rule file cannot be read: {error}", field=str(path)) from error
    if not isinstance(entries, list):
        raise ConfigurationError("a rule file holds a list of rules", field=str(path))
    return entries


def _rule(entry: Any, market: str, path: Path) -> Rule:
    if not isinstance(entry, dict):
        raise ConfigurationError(f"a rule is a mapping, got {entry!r}", field=str(path))
    try:
        patterns = {key: re.compile(str(entry[key]), re.IGNORECASE) for key in ("pattern", "unless") if key in entry}
        return Rule.model_validate({**entry, **patterns, "market": market})
    except (ValidationError, re.error) as error:
        raise ConfigurationError(f"rule {entry.get('id')!r}: {error}", field=str(path)) from error
