"""Choosing the next token of each text, each with its own parameters and its own dice."""

from __future__ import annotations

from collections import Counter
from random import Random

import torch

from rapport.models.text_ports import Sampling
from rapport.ops.errors import ModelError

# Below it the scores, divided by the temperature, leave the range of numbers; the likeliest token wins anyway.
_COLDEST = 1e-3
# Tokens sorted at first for a nucleus, which seldom has more; sorting the vocabulary takes ten times as long.
_OFTEN_ENOUGH = 256


class Sampler:
    """One text's way of choosing."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        # Python's generator: one number a token, the same on every device and whoever else is in the batch.
        self._dice = Random(sampling.seed)
        self._said: Counter[int] = Counter()

    @property
    def greedy(self) -> bool:
        """True when the likeliest token is taken as it is, which can be found for many texts at once."""
        sampling = self._sampling
        return sampling.temperature < _COLDEST and not (sampling.frequency_penalty or sampling.presence_penalty)

    def choose(self, scores: torch.Tensor) -> int:
        """A token by float32 `scores` [vocabulary], which it changes. Raises `ModelError` when there is nothing to
        choose from.
        """
        sampling = self._sampling
        if self._said and (sampling.frequency_penalty or sampling.presence_penalty):
            tokens = torch.tensor(list(self._said), device=scores.device)
            times = torch.tensor(list(self._said.values()), dtype=scores.dtype, device=scores.device)
            scores[tokens] -= sampling.frequency_penalty * times + sampling.presence_penalty
        likeliest = int(scores.argmax())
        if not scores[likeliest].isfinite():
            raise ModelError("the model's scores are not numbers, or the constraint leads nowhere")
        token = likeliest if sampling.temperature < _COLDEST else self._draw(scores)
        self._said[token] += 1
        return token

    def _draw(self, scores: torch.Tensor) -> int:
        sampling = self._sampling
        chances = torch.softmax(scores / sampling.temperature, dim=-1)
        most = min(sampling.top_k or len(chances), len(chances))
        if sampling.top_p >= 1 and most == len(chances):
            return _pick(chances, self._dice.random())
        kept, tokens = chances.topk(min(most, _OFTEN_ENOUGH))
        if most > _OFTEN_ENOUGH and kept.sum() < sampling.top_p:
            kept, tokens = chances.topk(most)
        # A token belongs to the nucleus while those before it have not reached the mass: the first always does. The
        # mass is counted among the top k, as if the others did not exist.
        total = 1.0 if most == len(chances) else kept.sum()
        outside = kept.cumsum(dim=-1) - kept >= sampling.top_p * total
        return int(tokens[_pick(kept.masked_fill(outside, 0.0), self._dice.random())])


def _pick(weights: torch.Tensor, number: float) -> int:
    """Where `number` (0 to 1) falls when `weights` are laid end to end and stretched to 1."""
    ends = weights.double().cumsum(dim=-1)
    at = int(torch.searchsorted(ends, ends[-1] * number, right=True))
    # Rounding can put the number behind the last weight that is not 0.
    return min(at, int(weights.nonzero()[-1]))
