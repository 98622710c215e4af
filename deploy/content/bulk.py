"""Many briefs: at a bounded rate, a few at once, with a record of each, from which a second run goes on."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.content.service import Call
from rapport.ops.errors import PermanentError, RetryableError

# A brief that meets "try later" waits so long before the next tries; after the last the run ends, and can go on later.
_PAUSES_S = (1.0, 4.0, 15.0)


@dataclass(slots=True)
class Progress:
    """What became of each brief, also in a file: one JSON line a brief, written as soon as it is known."""

    path: Path
    done: dict[str, str] = field(default_factory=dict)
    """Outcome by request id: published, pending or refused."""
    authors: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, path: Path) -> Progress:
        """What is known from earlier runs; a half-written last line is left out."""
        found = cls(path)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text and not text.endswith("\n"):
            # What a killed run left half-written must not swallow the next line.
            path.write_text(f"{text}\n", encoding="utf-8")
        for line in text.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            found.done[entry["request_id"]] = entry["outcome"]
            found.authors.update(entry.get("authors", []))
        return found

    def note(self, request_id: str, outcome: str, **more: Any) -> None:
        self.done[request_id] = outcome
        self.authors.update(more.get("authors", []))
        with self.path.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"request_id": request_id, "outcome": outcome, **more}, ensure_ascii=False) + "\n")

    def written(self, request_id: str) -> bool:
        return self.done.get(request_id, "refused") != "refused"

    @property
    def refused(self) -> int:
        return sum(outcome == "refused" for outcome in self.done.values())

    def summary(self) -> str:
        counted = Counter(self.done.values())
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items()))
        by = ", ".join(f"{count} by {author}" for author, count in sorted(self.authors.items()))
        return f"{len(self.done)} briefs: {told or 'none'}; variants: {by or 'none'}"


@dataclass(slots=True)
class Bulk:
    """`per_minute`: briefs that may begin a minute. `model_briefs`: how many the model may write in all runs."""

    call: Call
    progress: Progress
    per_minute: float
    at_once: int
    model_briefs: int | None = None

    async def run(self, briefs: Sequence[dict[str, Any]], shown: Callable[[Progress], None]) -> Progress:
        """Writes those that are not written: refused ones are tried again, since somebody may have corrected what was
        wrong. Raises `RetryableError` when the service stays away: run it again later.
        """
        left = [brief for brief in briefs if not self.progress.written(brief["request_id"])]
        slots, began, before = asyncio.Semaphore(self.at_once), time.monotonic(), len(briefs) - len(left)
        async with asyncio.TaskGroup() as tasks:
            for number, brief in enumerate(left):
                await asyncio.sleep(max(0.0, began + number * 60 / self.per_minute - time.monotonic()))
                await slots.acquire()
                tasks.create_task(self._one(self._limited(brief, before + number), slots, shown))
        return self.progress

    def _limited(self, brief: dict[str, Any], number: int) -> dict[str, Any]:
        if self.model_briefs is not None and number >= self.model_briefs:
            return {**brief, "writer": "template"}
        return brief

    async def _one(self, brief: dict[str, Any], slots: asyncio.Semaphore, shown: Callable[[Progress], None]) -> None:
        try:
            await self._write(brief)
            shown(self.progress)
        finally:
            slots.release()

    async def _write(self, brief: dict[str, Any]) -> None:
        request_id = str(brief["request_id"])
        for pause in (*_PAUSES_S, None):
            try:
                answer = await self.call("Create", {"brief": brief})
            except RetryableError:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            except PermanentError as error:
                self.progress.note(request_id, "refused", reason=str(error))
                return
            else:
                variants = answer["variants"]
                self.progress.note(
                    request_id, answer["status"], content_id=answer["content_id"],
                    texts=[variant["text"] for variant in variants],
                    authors=[variant["author"] for variant in variants],
                )  # fmt: skip
                return
