"""The port between the Generator RPC and whatever makes text."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rapport.models.ports import ModelId
from rapport.models.text_ports import Constraint, Sampling
from rapport.ops.errors import InvalidRequest
from rapport.ops.parts import Health
from rapport.serving.vocabulary import Priority

Finish = Literal["stop", "length"]

# A higher temperature is noise; a model's distribution is already nearly flat there.
_HOTTEST = 2.0
# OpenAI's range of the penalties.
_STRICTEST = 2.0
# Every stop string is searched for at every token.
_MOST_STOPS, _LONGEST_STOP = 8, 128
_ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class TextRequest:
    """`turns`: (role, content). `max_tokens` 0: the worker's default. `adapter` "": the model as it is."""

    turns: Sequence[tuple[str, str]]
    sampling: Sampling
    max_tokens: int = 0
    stop: Sequence[str] = ()
    priority: Priority = Priority.INTERACTIVE
    constraint: Constraint | None = None
    adapter: str = ""

    def check(self) -> None:
        """Raises `InvalidRequest` naming the field. The tokens' number is known only to the engine."""
        if not self.turns:
            raise InvalidRequest("an empty list", field="messages", fix="give at least one message")
        for index, (role, _) in enumerate(self.turns):
            if role not in _ROLES:
                raise InvalidRequest(
                    f"no such role: {role[:40]!r}", field=f"messages[{index}].role", fix=f"one of {', '.join(_ROLES)}"
                )
        _check_sampling(self.sampling)
        if len(self.stop) > _MOST_STOPS or any(not 0 < len(stop) <= _LONGEST_STOP for stop in self.stop):
            raise InvalidRequest(
                "too many, or one is empty or too long",
                field="sampling.stop",
                fix=f"at most {_MOST_STOPS} of 1 to {_LONGEST_STOP} characters",
            )


def _check_sampling(sampling: Sampling) -> None:
    for name, value, low, high in (
        ("temperature", sampling.temperature, 0.0, _HOTTEST),
        ("frequency_penalty", sampling.frequency_penalty, -_STRICTEST, _STRICTEST),
        ("presence_penalty", sampling.presence_penalty, -_STRICTEST, _STRICTEST),
    ):
        if not (math.isfinite(value) and low <= value <= high):
            raise InvalidRequest(f"{value}", field=f"sampling.{name}", fix=f"from {low} to {high}")
    if not (math.isfinite(sampling.top_p) and 0 < sampling.top_p <= 1):
        raise InvalidRequest(f"{sampling.top_p}", field="sampling.top_p", fix="above 0, at most 1")
    if sampling.top_k < 0:
        raise InvalidRequest(f"{sampling.top_k}", field="sampling.top_k", fix="0 for all, or how many")


@dataclass(frozen=True, slots=True)
class TextPiece:
    """What is new. The last has `finish`, and with it the figures: tokens, and times in seconds."""

    text: str
    finish: Finish | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    queue_s: float = 0.0
    compute_s: float = 0.0
    first_token_s: float = 0.0
    reused_tokens: int = 0


class TextEngine(Protocol):
    """Makes text for many callers at once."""

    @property
    def model(self) -> ModelId: ...

    def start(self) -> None: ...
    async def stop(self) -> None: ...
    def health(self) -> Health: ...

    def generate(self, request: TextRequest) -> AsyncGenerator[TextPiece, None]:
        """Pieces as they are decoded; closing the generator frees what it held. The deadline is that of the call
        being served.

        Raises before the first piece `InvalidRequest` for a request that could never be answered, `NotFound` for an
        adapter, `OverloadedError` when the queue is full; at any time `DeadlineError`, `UnavailableError` when the
        engine failed, and `ModelError` when the model failed on this request.
        """
