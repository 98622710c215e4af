"""Ends a stream of text before the first of some strings, wherever the pieces happen to break."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Holds back what could be the beginning of a stop string until that is decided."""

    def __init__(self, stops: Sequence[str]) -> None:
        """`stops`: none of them empty."""
        self._stops = tuple(stops)
        self._held = ""
        self.met = False

    def feed(self, piece: str) -> str:
        """What of the text so far may be shown now. Sets `met`, and shows no more, once a stop string came."""
        if self.met:
            return ""
        text = self._held + piece
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.met, self._held = True, ""
            return text[: min(found)]
        held = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def rest(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that `stop` begins with."""
    return next((size for size in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:size])), 0)
