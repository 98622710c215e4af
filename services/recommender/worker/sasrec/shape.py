"""What a SASRec looks like and how it is trained; free of torch, so that services and commands can name it."""

from __future__ import annotations

from dataclasses import dataclass

# Between items of a sequence that is carried as a text: no character that ids hold.
SEPARATOR = "\0"


@dataclass(frozen=True, slots=True)
class Shape:
    """The network."""

    items: int
    width: int = 64
    blocks: int = 2
    heads: int = 2
    window: int = 50
    """Latest items that are read."""
    dropout: float = 0.5
    attention_dropout: float = 0.5
    temperature: float = 0.07
    """Above 0: scores are cosines divided by it; 0: inner products."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The training."""

    epochs: int = 60
    batch: int = 128
    """Sequences in one step."""
    rate: float = 2e-3
    decay: float = 0.0
    """Weight decay (AdamW)."""
    smoothing: float = 0.0
    """Label smoothing."""
    negatives: int = 0
    """Items drawn for each step to compare with, uniformly; 0: all of them (full cross-entropy)."""
    patience: int = 3
    """Checks without a better validation figure before it ends."""
    check_every: int = 4
    """Epochs between checks."""
    seed: int = 1
