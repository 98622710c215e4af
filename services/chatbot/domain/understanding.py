"""What a customer wants: exact rules first, then P(intent | text), learned from example sentences."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Protocol

import numpy as np

from rapport.ops.errors import ConfigurationError
from rapport.text.normalise import normalise
from services.chatbot.domain.reading import KNOWLEDGE, Guess
from services.chatbot.domain.shelf import Float32

Examples = Sequence[tuple[str, str]]
"""Text and intent."""


class Head(Protocol):
    """P(intent | text) from its vector; `rapport.models.heads.SoftmaxHead` is one."""

    @property
    def labels(self) -> tuple[str, ...]: ...
    def probabilities(self, vectors: Float32) -> Float32:
        """[texts, labels], rows sum to 1, from unit vectors [texts, d]."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An intent's exact words: any of `patterns`, none of `unless`."""

    intent: str
    patterns: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]

    def matches(self, text: str) -> bool:
        return any(pattern.search(text) for pattern in self.patterns) and not any(
            pattern.search(text) for pattern in self.unless
        )


class Understanding:
    """Rules and examples of every intent, from the readable files beside this module."""

    def __init__(
        self,
        rules: Mapping[str, Mapping[str, Any]],
        words: Mapping[str, Sequence[str]],
        examples: Mapping[str, Sequence[str]],
    ) -> None:
        """`rules`: patterns and unless by intent, in order of precedence; `words`: patterns by name; `examples`:
        sentences by intent."""
        unknown = rules.keys() - examples.keys()
        if unknown:
            raise ConfigurationError("a rule for an intent without examples", field=f"understanding.{min(unknown)}")
        self._rules = [
            Rule(name, _compiled(name, told.get("patterns", ())), _compiled(name, told.get("unless", ())))
            for name, told in rules.items()
        ]
        self._words = {name: _compiled(name, patterns) for name, patterns in words.items()}
        self.examples: Examples = [(text, name) for name, texts in examples.items() for text in texts]
        """To embed as queries, for `learn`."""
        self.space = ""
        """id@revision of the encoder that the intents are learned in; "" before."""
        self._head: Head | None = None
        self._act_from = 1.0
        self.served = False
        """The worker tells intents by a trained classifier with an encoder of its own: see `guesses_of`."""
        self._served_from = 1.0

    @classmethod
    def load(cls) -> Understanding:
        rules = _read("understanding.toml")
        return cls(rules["intents"], rules["words"], _read("examples.toml"))

    def by_rule(self, text: str) -> str | None:
        """The first intent whose words `text` has."""
        plain = plain_form(text)
        return next((rule.intent for rule in self._rules if rule.matches(plain)), None)

    def has(self, name: str, text: str) -> bool:
        """Whether `text` has the words called `name` (about_orders, follow_up)."""
        plain = plain_form(text)
        return any(pattern.search(plain) for pattern in self._words[name])

    def learn(self, space: str, head: Head, act_from: float) -> None:
        """From now on intents are told by `head`, on vectors of the encoder `space`.

        Those less likely than `act_from` are not acted on.
        """
        self.space, self._head, self._act_from = space, head, act_from

    def serve(self, act_from: float | None) -> None:
        """From now on the worker's classifier is asked; None: no more. What was learned stays for when it is away."""
        self.served = act_from is not None
        self._served_from = 1.0 if act_from is None else act_from

    def forget(self) -> None:
        """No intent is told until `learn` is called again."""
        self.space, self._head = "", None

    def guesses(self, question: Float32 | None, space: str) -> tuple[Guess, ...]:
        """All intents, likeliest first; but knowledge before all others when none of them is likely enough.

        `question`: unit vector [d] of the encoder `space`; None, or another encoder's, tells nothing: then it is taken
        for a question to the articles, which know what they don't know.
        """
        if question is None or self._head is None or space != self.space:
            return (Guess(KNOWLEDGE, 0.0),)
        return _ordered(self._head.labels, self._head.probabilities(question[np.newaxis])[0], self._act_from)

    def guesses_of(self, labels: Sequence[str], probabilities: Float32) -> tuple[Guess, ...]:
        """As `guesses`, of what the worker's classifier said: `probabilities` [labels]."""
        return _ordered(labels, probabilities, self._served_from)


def _ordered(labels: Sequence[str], probabilities: Float32, act_from: float) -> tuple[Guess, ...]:
    guesses = [Guess(labels[at], float(probabilities[at])) for at in np.argsort(-probabilities)]
    if guesses[0].probability < act_from:
        guesses.sort(key=lambda guess: guess.name != KNOWLEDGE)
    return tuple(guesses)


def plain_form(text: str) -> str:
    """What patterns are written for: normalised, lower case, straight apostrophes."""
    return normalise(text).casefold().replace("’", "'")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _compiled(name: str, patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(re.compile(pattern) for pattern in patterns)
    except re.error as error:
        raise ConfigurationError(f"not a regular expression: {error}", field=f"understanding.{name}") from error
