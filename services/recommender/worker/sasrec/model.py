"""The network: item and position embeddings, causal self-attention, scores against the item matrix."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.recommender.worker.sasrec.shape import Shape


class Block(nn.Module):
    """Attention and feed-forward, each after a layer norm and added to what came in."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.before_attention = nn.LayerNorm(shape.width)
        self.queries_keys_values = nn.Linear(shape.width, 3 * shape.width)
        self.joined = nn.Linear(shape.width, shape.width)
        self.before_forward = nn.LayerNorm(shape.width)
        self.forward_layers = nn.Sequential(
            nn.Linear(shape.width, 4 * shape.width),
            nn.GELU(),
            nn.Dropout(shape.dropout),
            nn.Linear(4 * shape.width, shape.width),
        )
        self.dropout = nn.Dropout(shape.dropout)
        self.attention_dropout = shape.attention_dropout

    def forward(self, states: Tensor) -> Tensor:
        """[batch, length, width] to the same. Position t sees positions up to t, so padding at the end changes nothing
        before it."""
        batch, length, width = states.shape
        split = self.queries_keys_values(self.before_attention(states)).view(batch, length, 3, self.heads, -1)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        drop = self.attention_dropout if self.training else 0.0
        seen = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True, dropout_p=drop)
        states = states + self.dropout(self.joined(seen.transpose(1, 2).reshape(batch, length, width)))
        added: Tensor = self.dropout(self.forward_layers(self.before_forward(states)))
        return states + added


class SasRec(nn.Module):
    """Item numbers 0 … items-1; the number `items` is padding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.items = nn.Embedding(shape.items + 1, shape.width, padding_idx=shape.items)
        self.positions = nn.Embedding(shape.window, shape.width)
        self.dropout = nn.Dropout(shape.dropout)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.blocks))
        self.last = nn.LayerNorm(shape.width)
        self.apply(_initialise)

    def forward(self, sequences: Tensor) -> Tensor:
        """int [batch, length ≤ window], padded at the end, to states [batch, length, width]."""
        places = torch.arange(sequences.shape[1], device=sequences.device)
        states = self.dropout(self.items(sequences) + self.positions(places))
        for block in self.blocks:
            states = block(states)
        return self.ready(self.last(states))

    def ready(self, vectors: Tensor) -> Tensor:
        """Vectors as they are compared: of length 1 where scores are cosines."""
        unit: Tensor = functional.normalize(vectors, dim=-1) if self.shape.temperature else vectors
        return unit

    def matrix(self) -> Tensor:
        """[items, width]: what states are compared with."""
        return self.ready(self.items.weight[: self.shape.items])

    def scores(self, states: Tensor, matrix: Tensor) -> Tensor:
        """[n, width] and [items, width] to logits [n, items]."""
        return states @ matrix.T / (self.shape.temperature or 1.0)


def _initialise(module: nn.Module) -> None:
    # BERT's: small enough that the first softmax over the catalogue is near uniform.
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
