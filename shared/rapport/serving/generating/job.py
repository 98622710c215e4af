"""One text on its way: what it may still cost, what of it is shown, and whether anybody still reads."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence

from rapport.models.text_ports import Decoding, Step
from rapport.ops.errors import DeadlineError, RapportError
from rapport.serving.generating.engine import Finish, TextPiece
from rapport.serving.generating.stop_strings import StopStrings

# Pieces that wait for their reader; one this far behind is waited for, so that a text never outgrows memory.
_PIECES = 64
# Seconds after which a reader that takes nothing is given up: it holds a slot that others wait for.
_STALLED_S = 10.0


class TextJob:
    """Written by the generation loop, read by one caller, both on the event loop."""

    def __init__(
        self,
        decoding: Decoding,
        input_tokens: int,
        max_tokens: int,
        stop: Sequence[str],
        arrived: float,
        expires: float | None,
        stalled_s: float = _STALLED_S,
    ) -> None:
        """`arrived` and `expires` are on `time.monotonic`'s clock."""
        self.decoding, self.input_tokens, self.output_tokens = decoding, input_tokens, 0
        self.queue_s = self.compute_s = self.first_token_s = 0.0
        self._max_tokens, self._arrived, self._expires, self._stalled_s = max_tokens, arrived, expires, stalled_s
        self._stops = StopStrings(stop)
        self._pieces: deque[TextPiece] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self._error: RapportError | None = None
        self._full_since: float | None = None

    async def pieces(self) -> AsyncIterator[TextPiece]:
        """What the loop writes, up to the last piece. Raises what the text failed with."""
        while True:
            while self._pieces:
                yield self._pieces.popleft()
            if self._error is not None:
                raise self._error
            if self._ended:
                return
            self._news.clear()
            await self._news.wait()

    def leave(self) -> None:
        """The caller reads no more."""
        self._ended = True

    def fail(self, error: RapportError) -> None:
        """The caller gets `error` behind the pieces that are there; a text that has ended already is left alone."""
        if not self._ended:
            self._ended, self._error = True, error
            self._news.set()

    def over(self) -> bool:
        """True when there is nothing left to do; a text whose time ran out is told so."""
        if not self._ended and self._expires is not None and time.monotonic() >= self._expires:
            self.fail(DeadlineError("the time ran out before the text was done"))
        return self._ended

    def moves(self) -> bool:
        """True when the next step can be taken: not while the reader is too far behind."""
        if self.over():
            return False
        if len(self._pieces) < _PIECES:
            self._full_since = None
            return True
        now = time.monotonic()
        self._full_since = self._full_since or now
        if now - self._full_since >= self._stalled_s:
            self.fail(DeadlineError(f"the reader took nothing for {self._stalled_s:.0f} s"))
        return False

    def took(self, step: Step, began: float, seconds: float) -> None:
        """Books a step that began at `began` and took `seconds`, and shows what it brought."""
        if self.compute_s == 0:
            self.queue_s = began - self._arrived
        self.compute_s += seconds
        self.output_tokens += step.tokens
        if step.tokens and not self.first_token_s:
            self.first_token_s = time.monotonic() - self._arrived
        text = self._stops.feed(step.text)
        finish: Finish | None = None
        if self._stops.met or step.ended:
            finish = "stop"
        elif self.output_tokens >= self._max_tokens:
            finish = "length"
        if finish is not None:
            text += self._stops.rest()
        if (text or finish) and not self._ended:
            self._show(text, finish)

    def _show(self, text: str, finish: Finish | None) -> None:
        piece = TextPiece(text)
        if finish is not None:
            self._ended = True
            piece = TextPiece(
                text,
                finish,
                self.input_tokens,
                self.output_tokens,
                self.queue_s,
                self.compute_s,
                self.first_token_s,
                self.decoding.reused_tokens,
            )
        self._pieces.append(piece)
        self._news.set()
