"""What a customer wants: exact rules first, then the nearest example sentence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, cast, get_args

import numpy as np

from rapport.ops.errors import ConfigurationError
from rapport.text.normalise import normalise
from services.chatbot.domain.shelf import Float32

Intent = Literal["order_status", "recommend", "handoff", "greeting", "thanks", "knowledge"]

# An intent counts as its nearest examples, the mean of this many: a single one may be near by a chance word.
_NEAREST = 2
# How near the intent must be at least, and how much nearer than any other, in standard deviations of the question's
# cosines to all examples: encoders differ in where cosines lie. Chosen on tests/integration/chatbot/questions.toml.
_NEAR, _MARGIN = 1.5, 0.15


@dataclass(frozen=True, slots=True)
class Rule:
    """An intent's exact words: any of `patterns`, none of `unless`."""

    intent: Intent
    patterns: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]

    def matches(self, text: str) -> bool:
        return any(pattern.search(text) for pattern in self.patterns) and not any(
            pattern.search(text) for pattern in self.unless
        )


class Understanding:
    """Rules and examples of every intent, from the readable file beside this module."""

    def __init__(self, intents: Mapping[str, Mapping[str, Any]], words: Mapping[str, Sequence[str]]) -> None:
        """`intents`: patterns, unless and examples by intent, in order of precedence; `words`: patterns by name."""
        self._rules = [
            Rule(_intent(name), _compiled(name, told.get("patterns", ())), _compiled(name, told.get("unless", ())))
            for name, told in intents.items()
        ]
        pairs = [(_intent(name), text) for name, told in intents.items() for text in told.get("examples", ())]
        self.examples: tuple[str, ...] = tuple(text for _, text in pairs)
        """Sentences to embed for `nearest`, as queries."""
        self._intents = [intent for intent, _ in pairs]
        self._vectors: Float32 = np.empty((0, 0), np.float32)
        self.space = ""
        self._words = {name: _compiled(name, patterns) for name, patterns in words.items()}

    @classmethod
    def load(cls) -> Understanding:
        source = resources.files("services.chatbot.domain").joinpath("understanding.toml")
        read = tomllib.loads(source.read_text(encoding="utf-8"))
        return cls(read["intents"], read["words"])

    def by_rule(self, text: str) -> Intent | None:
        """The first intent whose words `text` has."""
        plain = plain_form(text)
        return next((rule.intent for rule in self._rules if rule.matches(plain)), None)

    def has(self, name: str, text: str) -> bool:
        """Whether `text` has the words called `name` (yes, about_orders, follow_up)."""
        plain = plain_form(text)
        return any(pattern.search(plain) for pattern in self._words[name])

    def learn(self, space: str, vectors: Float32) -> None:
        """Unit vectors [len(self.examples), d] of the examples, embedded as queries by the encoder `space`."""
        self.space, self._vectors = space, vectors

    def nearest(self, question: Float32 | None, space: str) -> Intent:
        """The intent of the nearest example when that is clear, else knowledge.

        `question`: unit vector [d] of the encoder `space`; None, or another encoder's, tells nothing.
        """
        if question is None or space != self.space:
            return "knowledge"
        cosines = self._vectors @ question
        spread = float(cosines.std()) or 1.0
        by_intent: dict[Intent, list[float]] = {}
        for intent, score in zip(self._intents, ((cosines - cosines.mean()) / spread).tolist(), strict=True):
            by_intent.setdefault(intent, []).append(score)
        nearness = {
            intent: sum(sorted(scores)[-_NEAREST:]) / min(_NEAREST, len(scores)) for intent, scores in by_intent.items()
        }
        (first, highest), (_, second) = sorted(nearness.items(), key=lambda pair: -pair[1])[:2]
        return first if highest >= _NEAR and highest - second >= _MARGIN else "knowledge"


def plain_form(text: str) -> str:
    """What patterns are written for: normalised, lower case, straight apostrophes."""
    return normalise(text).casefold().replace("’", "'")


def _intent(name: str) -> Intent:
    for intent in get_args(Intent):
        if name == intent:
            return cast("Intent", intent)
    raise ConfigurationError("no such intent", field=f"understanding.{name}")


def _compiled(name: str, patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(re.compile(pattern) for pattern in patterns)
    except re.error as error:
        raise ConfigurationError(f"not a regular expression: {error}", field=f"understanding.{name}") from error
