"""One text under way: what was read and said of it, its dice, its rule, its half-finished characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tokenizers.decoders import DecodeStream

from rapport.models.decoding.sampler import Sampler
from rapport.models.text_ports import Sampling

if TYPE_CHECKING:
    from llguidance import LLMatcher


class TorchText:
    """Made on the tokenising thread; from its first step on the device's thread alone changes it."""

    def __init__(self, prompt: Sequence[int], sampling: Sampling, matcher: LLMatcher | None, adapter: str) -> None:
        self.tokens = list(prompt)
        self.matcher, self.adapter = matcher, adapter
        self.sampler = Sampler(sampling)
        self.letters = DecodeStream(skip_special_tokens=True)
        self.row: int | None = None
        self.over = False
        self.reused_tokens = 0
        self.read = 0
        """Tokens whose keys and values are in the row."""
        self.prompt = list(prompt)

    @property
    def listening(self) -> bool:
        """True while there is prompt to read."""
        return self.read < len(self.prompt)

    @property
    def recalling(self) -> bool:
        """True while tokens that it said already are to be read again, after its row was lost."""
        return self.read < len(self.tokens)

    def lose_row(self) -> None:
        """All must be read again: the prompt in stretches, what was said one by one, so that the same follows."""
        self.row, self.read = None, 0
