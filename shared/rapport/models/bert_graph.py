"""BERT and XLM-R as an OpenVINO graph over packed rows, in float or int8; the runtime fuses it for the CPU it meets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as op

from rapport.models.bert_weights import BertWeights
from rapport.models.quantising import Ranges, quantised, range_of

Floats = npt.NDArray[np.float32]
Node = Any  # OpenVINO's nodes are untyped

# One byte of an input.
_LEVELS = 256
_SPLIT_HEADS, _SWAP = np.array([0, 2, 1, 3], dtype=np.int64), np.array([0, 2, 1, 3], dtype=np.int64)


class BertGraph:
    """Builds one model's graph."""

    def __init__(self, weights: BertWeights, ranges: Ranges | None) -> None:
        """`ranges`: inputs of the products, for int8; None: float."""
        self._from, self._ranges = weights, ranges

    def build(self) -> ov.Model:
        """ids and positions [rows, length], mask [rows, 1, length, length] → hidden [rows, length, width]."""
        ids, positions = (op.parameter([-1, -1], np.int32, name=name) for name in ("ids", "positions"))
        mask = op.parameter([-1, 1, -1, -1], np.float32, name="mask")
        hidden = self._embedded(ids, positions)
        for layer in range(self._from.layers):
            hidden = self._layer(hidden, mask, f"encoder.layer.{layer}.")
        return ov.Model([hidden], [ids, positions, mask])

    def _embedded(self, ids: Node, positions: Node) -> Node:
        axis = op.constant(np.int32(0))
        places = self._from["embeddings.position_embeddings.weight"]
        # All texts are of type 0.
        places = places + self._from["embeddings.token_type_embeddings.weight"][:1]
        words = op.gather(op.constant(self._from["embeddings.word_embeddings.weight"]), ids, axis)
        return self._normed(op.add(words, op.gather(op.constant(places), positions, axis)), "embeddings.LayerNorm")

    def _layer(self, hidden: Node, mask: Node, name: str) -> Node:
        inner = [f"{name}attention.self.{part}" for part in ("query", "key", "value")]
        joint = self._linear(hidden, inner)
        query, key, value = (self._by_head(part) for part in op.split(joint, op.constant(np.int64(2)), 3).outputs())
        seen = op.transpose(op.scaled_dot_product_attention(query, key, value, mask, causal=False), op.constant(_SWAP))
        seen = op.reshape(seen, op.constant(np.array([0, 0, self._from.width], dtype=np.int64)), special_zero=True)
        seen = self._linear(seen, [f"{name}attention.output.dense"])
        hidden = self._normed(op.add(hidden, seen), f"{name}attention.output.LayerNorm")
        wide = op.gelu(self._linear(hidden, [f"{name}intermediate.dense"]), "erf")
        return self._normed(op.add(hidden, self._linear(wide, [f"{name}output.dense"])), f"{name}output.LayerNorm")

    def _by_head(self, part: Node) -> Node:
        shape = np.array([0, 0, self._from.heads, self._from.width // self._from.heads], dtype=np.int64)
        return op.transpose(op.reshape(part, op.constant(shape), special_zero=True), op.constant(_SPLIT_HEADS))

    def _linear(self, values: Node, names: Sequence[str]) -> Node:
        """x Wᵀ + b of one product, or of several on the same input as one."""
        weights, biases = self._from.product(names)
        if self._ranges is None:
            return op.add(op.matmul(values, op.constant(weights), False, True), op.constant(biases))
        found = range_of(self._ranges, names[0])
        bounds = [op.constant(np.float32(bound)) for bound in (found.low, found.high)]
        values = op.multiply(values, op.constant(1 / found.smoothing))
        values = op.fake_quantize(values, *bounds, *bounds, _LEVELS)
        whole, scales = quantised(weights, found.smoothing)
        weight = op.multiply(op.convert(op.constant(whole), np.float32), op.constant(scales))
        return op.add(op.matmul(values, weight, False, True), op.constant(biases))

    def _normed(self, values: Node, name: str) -> Node:
        last = op.constant(np.array([-1], dtype=np.int64))
        normed = op.mvn(values, last, True, self._from.epsilon, "INSIDE_SQRT")
        scaled = op.multiply(normed, op.constant(self._from[f"{name}.weight"]))
        return op.add(scaled, op.constant(self._from[f"{name}.bias"]))
