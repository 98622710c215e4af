"""The flow file, read and checked: a mistake in it stops the start, with its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast, get_args

import cel

from rapport.ops.errors import ConfigurationError
from services.chatbot.domain.dialogue import ActionName, Slots
from services.chatbot.domain.languages import SPOKEN, Language
from services.chatbot.flows.policy import Rule, Then, compiled

# Right before the words that start a request they turn it round ("don't cancel it"); in Chinese within them as well.
_NOT = re.compile(r"(?:\b(?:don't|do not|no need to|rather than)(?: want)?(?: to)?|不(?:要|想|用|需要)|别)\s*$")
_NOT_WITHIN = re.compile(r"不(?:要|想|用|需要)再?(?:退|换|取消|改)")
Telling = Literal["status", "search", "recommend"]
"""Effects that change nothing and take one turn."""
_EFFECTS = (*get_args(ActionName), *get_args(Telling), "complaint")


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of request."""

    name: str
    effect: str
    slots: tuple[str, ...]
    """Asked for in this order."""
    optional: tuple[str, ...]
    """Taken when told, never asked for."""
    starts: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]
    rules: tuple[Rule, ...]
    eligible: cel.Program | None
    """Orders that the request may be about at all."""
    reasons: tuple[str, ...]
    """Codes that are accepted; none: anything."""
    ask: Mapping[str, str]
    """Another question than the slot's usual one, by slot."""

    @property
    def telling(self) -> bool:
        return self.effect in get_args(Telling)

    @property
    def action(self) -> ActionName:
        return cast("ActionName", self.effect)

    def begins(self, plain: str) -> bool:
        """Whether the words of `plain` (see `plain_form`) ask for it outright."""
        return self.begins_at(plain) is not None

    def begins_at(self, plain: str) -> int | None:
        """Where in `plain` it is asked for; None when it is not."""
        wanted = [found.start() for found in self._starts(plain) if not _negated(plain, found)]
        return min(wanted) if wanted and not any(p.search(plain) for p in self.unless) else None

    def denied(self, plain: str) -> bool:
        """Whether its words stand in `plain` to say that it is not wanted."""
        found = list(self._starts(plain))
        return bool(found) and all(_negated(plain, one) for one in found)

    def _starts(self, plain: str) -> Iterator[re.Match[str]]:
        return (found for pattern in self.starts for found in pattern.finditer(plain))


class Flows:
    """Everything in the file."""

    def __init__(self, read: Mapping[str, Any]) -> None:
        """Raises `ConfigurationError` naming the place."""
        self.policy: dict[str, Any] = dict(read.get("policy", {}))
        self.reasons = {
            code: _patterns(told, f"reason.{code}.words", "words") for code, told in read.get("reason", {}).items()
        }
        self._says: Mapping[str, Mapping[str, str]] = read.get("say", {})
        told = {name: one for name, one in read.get("flow", {}).items() if one.get("enabled", True)}
        self.flows = {name: self._flow(name, one) for name, one in told.items()}

    @classmethod
    def load(cls, path: Path | None = None) -> Flows:
        """The file beside this module; what the shop's own file has of a section takes its place, entry by entry."""
        read = tomllib.loads(resources.files(__package__).joinpath("flows.toml").read_text("utf-8"))
        try:
            own = tomllib.loads(path.read_text("utf-8")) if path else {}
            return cls({name: {**read.get(name, {}), **own.get(name, {})} for name in {**read, **own}})
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"{path}: {error}", field="RAPPORT_CHATBOT__FLOWS_FILE") from error

    def say(self, name: str, language: Language, **slots: object) -> str:
        return self._says[name][language].format(**slots)

    def reason_label(self, code: str, language: Language) -> str:
        """The code in words; the customer's own words stay as they are."""
        return self._says[f"reason_{code}"][language] if f"reason_{code}" in self._says else code

    def denied_by(self, plain: str) -> bool:
        """Whether `plain` says of a request that it is not wanted, and asks for none."""
        return self.started_by(plain) is None and any(flow.denied(plain) for flow in self.flows.values())

    def started_by(self, plain: str) -> Flow | None:
        """The flow whose words stand first in `plain`; the file's order decides between equals."""
        found = [(place, flow) for flow in self.flows.values() if (place := flow.begins_at(plain)) is not None]
        return min(found, key=lambda pair: pair[0])[1] if found else None

    def _flow(self, name: str, told: Mapping[str, Any]) -> Flow:
        place = f"flow.{name}"
        slots = tuple(told.get("slots", ()))
        for slot in (*slots, *told.get("optional", ())):
            if slot not in Slots.model_fields:
                raise ConfigurationError(
                    f"no slot {slot!r}", field=place, fix=f"one of {', '.join(Slots.model_fields)}"
                )
        if told.get("effect") not in _EFFECTS:
            raise ConfigurationError(f"no such effect; one of {', '.join(_EFFECTS)}", field=f"{place}.effect")
        rules = tuple(self._rule(rule, f"{place}.rules") for rule in told.get("rules", ()))
        flow = Flow(
            name, told["effect"], slots, tuple(told.get("optional", ())),
            _patterns(told, place, "starts"), _patterns(told, place, "unless"), rules,
            compiled(told["eligible"], self.policy, f"{place}.eligible") if "eligible" in told else None,
            tuple(told.get("reasons", ())), told.get("ask", {}),
        )  # fmt: skip
        needed = [*flow.ask.values(), *(rule.say for rule in rules)]
        needed += [] if flow.telling else [f"confirm_{name}", f"done_{name}", f"name_{name}"]
        self._has(needed, place)
        return flow

    def _rule(self, told: Mapping[str, Any], place: str) -> Rule:
        then = told.get("then", "refuse")
        if then not in get_args(Then):
            raise ConfigurationError(f"no such consequence {then!r}", field=place)
        return Rule(told["after"], compiled(told["allow"], self.policy, place), told["allow"], told["say"], then)

    def _has(self, names: Sequence[str], place: str) -> None:
        for name in names:
            for language in SPOKEN:
                if not self._says.get(name, {}).get(language):
                    raise ConfigurationError(f"say.{name} has no {language} text", field=place)


def _negated(plain: str, start: re.Match[str]) -> bool:
    return bool(_NOT.search(plain[: start.start()]) or _NOT_WITHIN.search(start.group()))


def _patterns(told: Mapping[str, Any], place: str, key: str) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(re.compile(pattern) for pattern in told.get(key, ()))
    except re.error as error:
        raise ConfigurationError(f"not a regular expression: {error}", field=f"{place}.{key}") from error
