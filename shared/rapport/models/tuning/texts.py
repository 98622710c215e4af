"""Texts through a network that trains: their vectors in any number, and their batches in an order to learn from."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch

from rapport.models.ports import Rows
from rapport.models.torch_device import compute_dtype
from rapport.models.tuning.network import Network

# Texts a pass when nothing is learned.
_TOGETHER = 64


def embed(network: Network, texts: Sequence[str]) -> Rows:
    """float32 [texts, d], unit length, by the encoder as it is now."""
    sequences = network.tokenize(texts)
    order = sorted(range(len(sequences)), key=lambda at: len(sequences[at]))
    found = np.empty((len(texts), network.head.in_features), dtype=np.float32)
    learning = network.training
    network.eval()
    with torch.inference_mode(), mixed():
        for start in range(0, len(order), _TOGETHER):
            places = order[start : start + _TOGETHER]
            found[places] = network.vectors([sequences[at] for at in places]).float().numpy()
    network.train(learning)
    return found


def shuffled(sequences: Sequence[Sequence[int]], batch: int, seed: int) -> list[list[int]]:
    """Places in `sequences`, those of like length together, in random order: half as much padding as at random."""
    dice = random.Random(seed)
    order = sorted(range(len(sequences)), key=lambda at: (len(sequences[at]), dice.random()))
    found = [order[start : start + batch] for start in range(0, len(order), batch)]
    dice.shuffle(found)
    return found


def mixed() -> torch.autocast:
    """bf16 where the processor multiplies it; elsewhere float32."""
    dtype = compute_dtype(torch.device("cpu"))
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)
