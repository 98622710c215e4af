"""Generate, check, repair, fall back: variants of copy, with every try in their trails."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from rapport.events.content import ContentRequested, Decision, Turn, Variant
from rapport.ops.errors import InvalidRequest, PermanentError, RetryableError
from services.content.domain.checking.channels import segments
from services.content.domain.checking.numbers import numbers
from services.content.domain.checking.passage import one_form, passage
from services.content.domain.checking.problem import Problem
from services.content.domain.checking.similarity import difference
from services.content.domain.checks import Checker
from services.content.domain.facts import Facts
from services.content.domain.prompts import PROMPT_VERSION, prompt, tidy
from services.content.domain.quality import fluency
from services.content.domain.repair import repair
from services.content.domain.shapes import shape
from services.content.domain.slots import slots_of
from services.content.domain.templates import WHOLE, TemplateEntry, Templates
from services.content.ports import Ranking, Writer

log = structlog.stdlib.get_logger(__name__)
# Two variants of one brief with less difference than this read as one.
_LEAST_DIFFERENCE = 0.2


@dataclass(frozen=True, slots=True)
class Task:
    """What one text is written for. `recent`: texts that the model must not repeat."""

    brief: ContentRequested
    facts: Facts
    need: str = ""
    model: bool = True
    recent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copywriter:
    """Writes variants. The model tries first, in the languages it can write; the template is always there."""

    templates: Templates
    checker: Checker
    writer: Writer
    ranking: Ranking
    attempts: int
    languages: frozenset[str]

    async def variants(self, task: Task, count: int) -> tuple[list[Variant], str | None]:
        """Up to `count` variants that differ, and the model that wrote any of them.

        Fewer when no more differ. Raises `InvalidRequest` when not even a template passes, which its problems explain.
        """
        written: list[Variant] = []
        models: list[str] = []
        for number in range(count):
            texts = [variant.text for variant in written]
            variant, model = await self._variant(task, number, texts)
            if variant is None:
                break
            written.append(variant)
            models += [model] if model else []
        scored = [
            variant.model_copy(
                update={"difference": round(difference(variant.text, [o.text for o in written if o is not variant]), 3)}
            )
            for variant in written
        ]
        return scored, next(iter(models), None)

    async def _variant(self, task: Task, number: int, others: Sequence[str]) -> tuple[Variant | None, str | None]:
        trail: list[Decision] = []
        entry, model = None, None
        if task.model and task.brief.writer == "auto" and task.facts.code in self.languages:
            entry, model = await self._by_model(task, number, others, trail)
        if entry is None:
            entry = self._by_template(task, number, others, trail)
        if entry is None:
            return None, None
        return self._finished(task, number, trail, entry, prompt_version=PROMPT_VERSION if model else None), model

    def _finished(
        self, task: Task, number: int, trail: list[Decision], entry: TemplateEntry, *, prompt_version: str | None
    ) -> Variant:
        last, brief = trail[-1], task.brief
        turns = prompt(brief.kind, task.facts, WHOLE, tone=brief.tone, problems=())
        return Variant(
            variant_id=chr(ord("a") + number),
            text=last.text,
            author=last.author,
            trail=tuple(trail),
            template_id=entry.id,
            template_version=entry.version,
            tone=brief.tone if prompt_version else None,
            prompt_version=prompt_version,
            fluency=fluency(last.text, whole=brief.kind != "subject_line"),
            sms_segments=segments(last.text) if brief.channel == "sms" else None,
            words=self.checker.without_endings(last.text, task.facts, kind=brief.kind, channel=brief.channel),
            prompt=tuple(Turn(role=role, content=text) for role, text in turns),
        )

    async def _by_model(
        self, task: Task, number: int, others: Sequence[str], trail: list[Decision]
    ) -> tuple[TemplateEntry | None, str | None]:
        frames = self.templates.fitting(task.brief.kind, task.brief.channel, task.facts, frames=True)
        for attempt in range(1, self.attempts + 1 if frames else 1):
            # Twice the same frame, then the next: where the whole is too much for the model, an opening line may not
            # be.
            frame = frames[(number + max(0, attempt - 2)) % len(frames)]
            try:
                words, model = await self._ask(task, number, attempt, frame, trail, others)
            except (RetryableError, PermanentError) as error:
                log.warning("the model wrote nothing", request_id=task.brief.request_id, error=str(error))
                reason = Problem("empty", f"the model wrote nothing: {error}")
                trail.append(_decision(attempt, "model", "", [reason]))
                return None, None
            if self._passes(task, attempt, frame, words, trail, others):
                return frame, model
        return None, None

    async def _ask(
        self, task: Task, number: int, attempt: int, frame: TemplateEntry, trail: list[Decision], others: Sequence[str]
    ) -> tuple[str, str]:
        assert frame.words is not None
        problems = trail[-1].problems if trail else ()
        turns = prompt(task.brief.kind, task.facts, frame.words, tone=task.brief.tone, problems=problems, avoid=others)
        # The same request gets the same words again, and its variants differ.
        seed = zlib.crc32(f"{task.brief.request_id}/{number}/{attempt}".encode())
        pattern = shape(task.brief.kind, task.facts, frame.words)
        raw, model = await self.writer.write(turns, seed=seed, pattern=pattern)
        return tidy(raw), model

    def _passes(
        self, task: Task, attempt: int, frame: TemplateEntry, words: str, trail: list[Decision], others: Sequence[str]
    ) -> bool:
        """Checks the words in their frame, then mended; every try goes into the trail."""
        text = self._framed(task, frame, words) if words else ""
        problems = self._problems(task, text, model=True, others=others) + self._opening_problems(task, frame, words)
        trail.append(_decision(attempt, "model", text, problems))
        if not problems:
            return True
        assert frame.words is not None
        opening, limit = frame.words.task == "opening", frame.words.max_characters
        mended = repair(words, problems, task.facts, limit, opening=opening) if words else None
        if mended is None:
            return False
        text = self._framed(task, frame, mended.text)
        problems = self._problems(task, text, model=True, others=others)
        problems += self._opening_problems(task, frame, mended.text)
        trail.append(_decision(attempt, "model", text, problems, mended.steps))
        return not problems

    def _opening_problems(self, task: Task, frame: TemplateEntry, words: str) -> list[Problem]:
        """An opening line tells no figures and no names: the frame does, and would repeat them."""
        if frame.words is None or frame.words.task != "opening":
            return []
        figure = next(iter(numbers(one_form(words))), None)
        found = [Problem("quantity", f"an opening line with a figure: {figure.text}", figure.text)] if figure else []
        if passage(words, task.facts).named:
            found.append(Problem("product", "an opening line names the product"))
        return found

    def _by_template(
        self, task: Task, number: int, others: Sequence[str], trail: list[Decision]
    ) -> TemplateEntry | None:
        """Takes the fitting templates in turn, best outcomes first, until one passes and differs.

        A need that does not fit (its words are too many, say) is left out. None: no more differ.
        """
        passed = False
        for need in dict.fromkeys([task.need, ""]):
            entries = self.templates.fitting(task.brief.kind, task.brief.channel, task.facts, frames=False, need=need)
            entries = self.ranking.ordered(task.brief, entries)
            start = number % len(entries)
            for entry in [*entries[start:], *entries[:start]]:
                text = self._framed(replace(task, need=need), entry, "")
                problems = self._problems(replace(task, recent=()), text, model=False, others=())
                if not problems and others and difference(text, others) < _LEAST_DIFFERENCE:
                    passed = True
                    continue
                trail.append(_decision(len(trail) + 1, "template", text, problems))
                if not problems:
                    return entry
        if passed:
            return None
        raise InvalidRequest(f"no copy passes the checks: {'; '.join(trail[-1].problems)}", field="brief")

    def _framed(self, task: Task, entry: TemplateEntry, words: str) -> str:
        """The template filled in, with the link and the way out that the channel needs."""
        reference = self.checker.reference_allowed(task.facts)
        slots = slots_of(task.facts, words=words, need=task.need, reference=reference)
        text = self.templates.render(entry, task.facts, slots).text
        return self.checker.with_endings(text, task.facts, kind=task.brief.kind, channel=task.brief.channel)

    def _problems(self, task: Task, text: str, *, model: bool, others: Sequence[str]) -> list[Problem]:
        brief = task.brief
        recent = (*task.recent, *others)
        return self.checker.problems(
            text, task.facts, kind=brief.kind, channel=brief.channel, need=task.need, model=model, recent=recent
        )


def _decision(
    attempt: int, author: str, text: str, problems: Sequence[Problem], repaired: Sequence[str] = ()
) -> Decision:
    return Decision.model_validate(
        {
            "attempt": attempt, "author": author, "text": text, "accepted": not problems,
            "problems": [problem.text for problem in problems],
            "codes": list(dict.fromkeys(problem.code for problem in problems)),
            "repaired": tuple(repaired),
        }
    )  # fmt: skip
