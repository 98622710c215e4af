"""The rails, and what happens when one cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from rapport.ops.errors import RapportError
from rapport.ops.metrics import counter
from services.chatbot.domain.shelf import Question

log = structlog.stdlib.get_logger(__name__)
Mode = Literal["fail_open", "fail_closed"]
RailName = Literal["injection", "abuse", "threat", "personal_data", "unsafe", "unchecked"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rail` stopped the message; None: it may pass, as `text`."""

    rail: RailName | None
    text: str


class InputRail(Protocol):
    name: RailName

    async def check(self, text: str, questions: Sequence[Question]) -> bool:
        """Whether the message must be stopped. `questions`: its vectors. Raises a `RapportError` when it can't tell."""


class OutputRail(Protocol):
    name: RailName

    def check(self, text: str, allowed: str) -> str | None:
        """What may go out of `text`, None for nothing; `allowed` always may. Raises `RapportError` if it can't tell."""


@dataclass(frozen=True, slots=True)
class Rails:
    """All rails with their modes: fail_open lets pass what a rail cannot tell, fail_closed stops it."""

    before: Sequence[tuple[InputRail, Mode]]
    after: Sequence[tuple[OutputRail, Mode]]

    async def let_in(self, text: str, questions: Sequence[Question]) -> Verdict:
        for rail, mode in self.before:
            try:
                stopped = await rail.check(text, questions)
            except RapportError as error:
                log.warning("a rail cannot tell", rail=rail.name, mode=mode, error=str(error))
                if mode == "fail_closed":
                    return _stop("unchecked")
                continue
            if stopped:
                return _stop(rail.name)
        return Verdict(None, text)

    def let_out(self, text: str, allowed: str) -> Verdict:
        for rail, mode in self.after:
            try:
                left = rail.check(text, allowed)
            except RapportError as error:
                log.warning("a rail cannot tell", rail=rail.name, mode=mode, error=str(error))
                if mode == "fail_closed":
                    return _stop("unchecked")
                continue
            if left is None:
                return _stop(rail.name)
            text = left
        return Verdict(None, text)


def _stop(rail: RailName) -> Verdict:
    counter("chat_rails", "Messages that a safety rail stopped", ("rail",)).labels(rail).inc()
    return Verdict(rail, "")
