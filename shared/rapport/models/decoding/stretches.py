"""Which prompts are read next, and which of their stretches go through the network together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapport.models.decoding.rows import GRAIN
from rapport.models.decoding.text import TorchText

# A stretch that ends a prompt is filled up to a multiple of it: four widths instead of 64, and stretches of one width
# go through the network together.
_FILL = 16


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tokens `start` to `stop` of a text's prompt: up to the next multiple of `GRAIN`, or the prompt's end."""

    text: TorchText
    start: int
    stop: int

    @property
    def width(self) -> int:
        """Its tokens and what fills it up."""
        return -(-(self.stop - self.start) // _FILL) * _FILL


def first_in_line(texts: Sequence[TorchText], room: int) -> list[TorchText]:
    """Those of `texts` that are still read to, as many as can be read to their ends within `room` tokens; the first at
    any rate. Read side by side to their ends, they say their first token as early as one after another.
    """
    chosen: list[TorchText] = []
    for text in texts:
        if text.listening:
            room -= len(text.prompt) - text.read
            if chosen and room < 0:
                break
            chosen.append(text)
    return chosen


def together(texts: Sequence[TorchText]) -> Iterator[list[Stretch]]:
    """The next stretch of each of `texts`, in groups of one adapter and width: nothing is filled up for a neighbour."""
    groups: dict[tuple[str, int], list[Stretch]] = {}
    for text in texts:
        stop = min(len(text.prompt), (text.read // GRAIN + 1) * GRAIN)
        stretch = Stretch(text, text.read, stop)
        groups.setdefault((text.adapter, stretch.width), []).append(stretch)
    yield from groups.values()
