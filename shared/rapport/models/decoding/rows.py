"""The cache of keys and values: one row a text, all allocated at once within a set amount of memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache

from rapport.ops.errors import ConfigurationError

GRAIN = 64
"""Tokens by which prompts are read and lengths are rounded. A multiple of it keeps the shapes few (a CPU compiles code
for each that it meets), and puts the joints of a prompt always in the same places, so that reused tokens are bit for
bit those that would be computed."""


class RowCache(Cache):
    """Keys and values [rows, heads, tokens, head size] for each layer; a forward pass writes where it was told to."""

    def __init__(self, config: Any, rows: int, tokens: int, dtype: torch.dtype, device: torch.device) -> None:
        """Allocates; the system hands out the memory when a row is first written."""
        super().__init__(layers=[])
        heads, size = _heads(config)
        shape = (rows, heads, tokens, size)
        self._keys = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(config.num_hidden_layers)]
        self._values = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(config.num_hidden_layers)]
        self._written: tuple[torch.Tensor, torch.Tensor] = (torch.empty(0), torch.empty(0))
        self._read: torch.Tensor | slice = slice(0)
        self._length = 0

    def expect(self, rows: Sequence[int], positions: torch.Tensor, length: int) -> None:
        """The next pass writes tokens at `positions` [n, tokens] of `rows` [n], and sees the first `length` of them."""
        index = torch.tensor(rows, device=positions.device)
        self._written, self._length = (index[:, None], positions), length
        # Rows that lie side by side are looked at where they are; others are gathered.
        side_by_side = list(rows) == list(range(rows[0], rows[0] + len(rows)))
        self._read = slice(rows[0], rows[0] + len(rows)) if side_by_side else index

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Called by each layer: [n, heads, tokens, head size] of the new tokens; returns all that it may look at."""
        keys, values = self._keys[layer_idx], self._values[layer_idx]
        rows, positions = self._written
        keys[rows, :, positions] = key_states.transpose(1, 2)
        values[rows, :, positions] = value_states.transpose(1, 2)
        return keys[self._read, :, : self._length], values[self._read, :, : self._length]

    def get_seq_length(self, *_: Any, **__: Any) -> int:
        """Positions and masks are given, never derived from this."""
        return 0

    def copied(self, row: int, start: int, stop: int) -> torch.Tensor:
        """Tokens `start` to `stop` of `row`: [2 × layers, heads, tokens, head size]."""
        return torch.stack([part[row, :, start:stop] for part in (*self._keys, *self._values)])

    def paste(self, block: torch.Tensor, row: int, start: int) -> None:
        """Puts what `copied` gave at `start` of `row`."""
        for part, layer in zip((*self._keys, *self._values), block, strict=True):
            part[row, :, start : start + layer.shape[1]] = layer

    def move(self, source: int, target: int, length: int) -> None:
        """The first `length` tokens of row `source`, to row `target`."""
        for part in (*self._keys, *self._values):
            part[target, :, :length] = part[source, :, :length]


def bytes_a_token(config: Any, dtype: torch.dtype) -> int:
    """What one token of one text takes in the cache."""
    heads, size = _heads(config)
    return int(2 * config.num_hidden_layers * heads * size * dtype.itemsize)


def rows_within(megabytes: int, wanted: int, context: int, token_bytes: int) -> int:
    """Texts of `context` tokens that `megabytes` hold, at most `wanted`. Raises `ConfigurationError` if not one."""
    needed = -(-context // GRAIN) * GRAIN * token_bytes
    rows = min(wanted, megabytes * 2**20 // needed)
    if rows < 1:
        raise ConfigurationError(
            f"{megabytes} MB hold no text of {context} tokens, which takes {needed / 2**20:.0f} MB",
            field="RAPPORT_WORKER__GENERATION_CACHE_MB",
            fix="raise it, or lower RAPPORT_MODELS__CONTEXT",
        )
    return rows


def _heads(config: Any) -> tuple[int, int]:
    """Key heads, and their size."""
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return getattr(config, "num_key_value_heads", None) or config.num_attention_heads, size
