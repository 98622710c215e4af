"""The rails there are."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from rapport.ingest.rows import read_rows
from rapport.models.heads import SoftmaxHead, fit
from rapport.models.ports import ModelId, Role
from rapport.ops.errors import ConfigurationError, UnavailableError
from rapport.serving.client import Priority
from rapport.text.normalise import normalise
from services.chatbot.domain.shelf import Question
from services.chatbot.domain.words import content_words
from services.chatbot.ports import Encoder
from services.chatbot.safety.personal_data import masked
from services.chatbot.safety.rails import RailName
from services.chatbot.safety.words import Words

_INJECTION, _INNOCENT = "injection", "innocent"
# Learning the examples takes a second or two; a customer waits no longer than this for it.
_LEARN_WITHIN_S = 20.0
_INVERSE_PENALTY = 10.0
# Below this many words a likeness is chance: an order number, a yes, a colour.
_LEAST_WORDS = 4
# Words left beside an insult that make the message a request after all.
_A_REQUEST = 3


@dataclass(frozen=True, slots=True)
class SeedMessages:
    """Labelled messages: injections, and what must never be taken for one."""

    injections: tuple[str, ...]
    innocent: tuple[str, ...]

    @classmethod
    def load(cls, innocent: Sequence[str], file: Path | None = None) -> SeedMessages:
        """Our own, and those of the shop's `file`: columns text and label (1 or injection; 0 or innocent).

        Raises `ConfigurationError` for a file that is not there or has another label.
        """
        read = tomllib.loads(resources.files(__package__).joinpath("injections.toml").read_text("utf-8"))
        more = _labelled(file) if file else {}
        return cls(
            (*read["examples"], *(text for text, label in more.items() if label == _INJECTION)),
            (*read["innocent"], *innocent, *(text for text, label in more.items() if label == _INNOCENT)),
        )


def _labelled(file: Path) -> dict[str, str]:
    names = {"1": _INJECTION, _INJECTION: _INJECTION, "0": _INNOCENT, _INNOCENT: _INNOCENT}
    place = {"field": "RAPPORT_CHATBOT__INJECTION_EXAMPLES"}
    if not file.is_file():
        raise ConfigurationError(f"{file} is not there", **place)
    found = {}
    for row in read_rows(file):
        label = names.get(str(row.values.get("label", "")).strip().lower())
        if label is None:
            raise ConfigurationError(f"{file}, row {row.number}: the label is none of {', '.join(names)}", **place)
        found[normalise(str(row.values.get("text", "")))] = label
    return {text: label for text, label in found.items() if text}


class InjectionRail:
    """Exact words, and likeness to known injections on the encoder's vectors.

    Likeness stops a message from P(injection) `threshold` on. Raises `UnavailableError` while there is no vector.
    """

    name: RailName = "injection"

    def __init__(self, words: Words, encoder: Encoder, seed: SeedMessages, *, threshold: float) -> None:
        self._words, self._encoder, self._seed, self._threshold = words, encoder, seed, threshold
        self._head: SoftmaxHead | None = None
        self._space = ""
        self._learning = asyncio.Lock()

    async def check(self, text: str, questions: Sequence[Question]) -> bool:
        if self._words.has("injection", text):
            return True
        if len(content_words(text)) < _LEAST_WORDS:
            return False
        return await self.probability(questions) >= self._threshold

    async def probability(self, questions: Sequence[Question]) -> float:
        """P(injection) by likeness alone, of the message by itself: the last of its `questions`."""
        question = questions[-1] if questions else None
        if question is None or question.vector is None:
            raise UnavailableError("the encoder gave no vector of the message")
        async with self._learning:
            if self._head is None or self._space != question.space:
                self._head, self._space = await self._learned()
        if self._space != question.space:
            raise UnavailableError("the encoder changed just now")
        probabilities = self._head.probabilities(question.vector[None])[0]
        return float(probabilities[self._head.labels.index(_INJECTION)])

    async def _learned(self) -> tuple[SoftmaxHead, str]:
        texts = [*self._seed.injections, *self._seed.innocent]
        labels = [_INJECTION] * len(self._seed.injections) + [_INNOCENT] * len(self._seed.innocent)
        made = await self._encoder.embed(texts, role=Role.QUERY, priority=Priority.BULK, timeout_s=_LEARN_WITHIN_S)
        model = ModelId("rapport/injection", made.model)
        fitted = await asyncio.to_thread(fit, model, made.vectors, labels, Role.QUERY, _INVERSE_PENALTY, balanced=True)
        return fitted.head, made.model


class ThreatRail:
    """Somebody may be hurt: a person must see it."""

    name: RailName = "threat"

    def __init__(self, words: Words) -> None:
        self._words = words

    async def check(self, text: str, questions: Sequence[Question]) -> bool:  # noqa: ARG002 - words are enough
        return self._words.has("threat", text)


class AbuseRail:
    """Messages that are nothing but insults. One that asks for something as well is served."""

    name: RailName = "abuse"

    def __init__(self, words: Words) -> None:
        self._words = words

    async def check(self, text: str, questions: Sequence[Question]) -> bool:  # noqa: ARG002 - words are enough
        if not self._words.has("abuse", text):
            return False
        return len(content_words(self._words.without("abuse", text))) < _A_REQUEST


class PersonalDataRail:
    """Masks personal data that neither the customer nor the shop's pages said."""

    name: RailName = "personal_data"

    def check(self, text: str, allowed: str) -> str | None:
        return masked(text, allowed)


class UnsafeRail:
    """What the shop's bot never says."""

    name: RailName = "unsafe"

    def __init__(self, words: Words) -> None:
        self._words = words

    def check(self, text: str, allowed: str) -> str | None:  # noqa: ARG002 - not even when quoted
        return None if self._words.has("unsafe", text) else text
