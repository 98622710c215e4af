"""One call on its way through the batches, and the texts it consists of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rapport.models.ports import Rows
from rapport.ops.errors import DeadlineError


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows`: float32 [texts, dimensions], in the order of the texts. Times in seconds."""

    rows: Rows
    tokens: int
    queue_s: float
    compute_s: float


@dataclass(eq=False, slots=True)
class EncodingCall:
    """Lives on the event loop. `arrived` and `expires` are on `time.monotonic`'s clock."""

    sequences: Sequence[Sequence[int]]
    rows: Rows
    arrived: float
    expires: float | None
    answer: asyncio.Future[Answer]
    taken: int = 0
    done: int = 0
    queue_s: float = 0.0
    compute_s: float = 0.0

    def over(self) -> bool:
        """True when nobody waits; an expired call is told so."""
        if not self.answer.done() and self.expires is not None and time.monotonic() >= self.expires:
            self.answer.set_exception(DeadlineError("the time ran out in the queue"))
        return self.answer.done()

    def ran(self, began: float, seconds: float) -> None:
        """Books an execution in which it had part."""
        if self.done == 0:
            self.queue_s = began - self.arrived
        self.compute_s += seconds

    def put(self, at: int, row: Rows) -> None:
        """One text's row; with the last one the call is answered."""
        self.rows[at] = row
        self.done += 1
        if self.done == len(self.sequences) and not self.answer.done():
            tokens = sum(map(len, self.sequences))
            self.answer.set_result(Answer(self.rows, tokens, self.queue_s, self.compute_s))

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(frozen=True, slots=True)
class EncodingText:
    """One text of one call, on its way through a batch."""

    call: EncodingCall
    at: int
    sequence: Sequence[int] = field(repr=False)
