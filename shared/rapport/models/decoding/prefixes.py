"""Beginnings that prompts share, such as a shop's system prompt: computed for the first, copied for the others."""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import torch

from rapport.models.decoding.rows import GRAIN

# Beginnings met once, by their hash. Only what comes again is worth its memory: most prompts end in words of their own.
_REMEMBERED = 4096


class Prefixes:
    """The most recently used blocks of `GRAIN` tokens, by all tokens up to their end, within a set amount of memory."""

    def __init__(self, megabytes: int) -> None:
        """0: nothing is kept."""
        self._room = megabytes * 2**20
        self._blocks: OrderedDict[bytes, torch.Tensor] = OrderedDict()
        self._met: OrderedDict[bytes, None] = OrderedDict()

    def find(self, adapter: str, prompt: Sequence[int]) -> Iterator[torch.Tensor]:
        """The blocks that `prompt` begins with. Its last token is never among them: its scores must be computed."""
        for key in _keys(adapter, prompt[:-1]):
            block = self._blocks.get(key)
            if block is None:
                return
            self._blocks.move_to_end(key)
            yield block

    def wanted(self, adapter: str, beginning: Sequence[int]) -> bool:
        """True when the block that ends `beginning` (a multiple of `GRAIN`) should be kept: on its second coming."""
        *_, key = _keys(adapter, beginning)
        if not self._room or key in self._blocks:
            return False
        if key in self._met:
            return True
        self._met[key] = None
        if len(self._met) > _REMEMBERED:
            self._met.popitem(last=False)
        return False

    def keep(self, adapter: str, beginning: Sequence[int], block: torch.Tensor) -> None:
        """Makes room by forgetting what was not used for longest."""
        *_, key = _keys(adapter, beginning)
        self._blocks[key] = block
        while sum(kept.nbytes for kept in self._blocks.values()) > self._room:
            self._blocks.popitem(last=False)

    def clear(self) -> None:
        """Forgets all."""
        self._blocks.clear()


def _keys(adapter: str, tokens: Sequence[int]) -> Iterator[bytes]:
    """A hash of all tokens up to the end of each whole block: keys and values depend on everything before."""
    digest = hashlib.blake2b(adapter.encode(), digest_size=16)
    for start in range(0, len(tokens) - GRAIN + 1, GRAIN):
        digest.update(array("q", tokens[start : start + GRAIN]).tobytes())
        yield digest.digest()
