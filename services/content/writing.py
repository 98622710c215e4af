"""Generate, check, fall back: one variant of copy, with every try in its trail."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import structlog

from rapport.events.content import ContentRequested, Decision, Variant
from rapport.ops.errors import InvalidRequest, PermanentError, RetryableError
from services.content.domain.checks import Checker
from services.content.domain.facts import Facts
from services.content.domain.prompts import prompt, tidy
from services.content.domain.templates import Templates
from services.content.ports import Writer

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Copywriter:
    """Writes variants. The model tries first, in the languages it can write; the template is always there."""

    templates: Templates
    checker: Checker
    writer: Writer
    attempts: int
    languages: frozenset[str]

    async def variant(
        self, brief: ContentRequested, facts: Facts, number: int, *, need: str = "", model: bool = True
    ) -> tuple[Variant, str | None]:
        """Variant `number` (from 0) and the model that wrote it, None for a template.

        Raises `InvalidRequest` when not even the template passes, which the problems in it explain.
        """
        trail: list[Decision] = []
        author = None
        if model and facts.language.split("-")[0].lower() in self.languages:
            author = await self._by_model(brief, facts, number, trail)
        if author is None:
            self._by_template(brief, facts, number, need, trail)
        last = trail[-1]
        return Variant(
            variant_id=chr(ord("a") + number), text=last.text, author=last.author, trail=tuple(trail)
        ), author

    async def _by_model(self, brief: ContentRequested, facts: Facts, number: int, trail: list[Decision]) -> str | None:
        for attempt in range(1, self.attempts + 1):
            turns = prompt(brief.kind, facts, tone=brief.tone, problems=trail[-1].problems if trail else ())
            # The same request gets the same words again, and its variants differ.
            seed = zlib.crc32(f"{brief.request_id}/{number}/{attempt}".encode())
            try:
                raw, model = await self.writer.write(turns, seed=seed)
            except (RetryableError, PermanentError) as error:
                log.warning("the model wrote nothing", request_id=brief.request_id, error=str(error))
                trail.append(_decision(attempt, "model", "", [f"the model wrote nothing: {error}"]))
                return None
            text = tidy(raw)
            problems = self.checker.problems(text, facts, kind=brief.kind, channel=brief.channel)
            trail.append(_decision(attempt, "model", text, problems))
            if not problems:
                return model
        return None

    def _by_template(
        self, brief: ContentRequested, facts: Facts, number: int, need: str, trail: list[Decision]
    ) -> None:
        """Takes the fitting templates in turn, so that variants differ, and the first of them that passes.

        A need that does not fit (its words are too many, say) is left out.
        """
        rendered = self.templates.render(brief.kind, brief.channel, facts, need=need)
        order = [*rendered[number % len(rendered) :], *rendered[: number % len(rendered)]]
        if need:
            order += self.templates.render(brief.kind, brief.channel, facts)
        for candidate in order:
            text = candidate.text
            problems = self.checker.problems(text, facts, kind=brief.kind, channel=brief.channel, need=need)
            trail.append(_decision(len(trail) + 1, "template", text, problems))
            if not problems:
                return
        raise InvalidRequest(f"no copy passes the checks: {'; '.join(trail[-1].problems)}", field="brief")


def _decision(attempt: int, author: str, text: str, problems: list[str]) -> Decision:
    return Decision.model_validate(
        {"attempt": attempt, "author": author, "text": text, "accepted": not problems, "problems": problems}
    )
