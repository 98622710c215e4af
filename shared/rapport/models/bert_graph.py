"""BERT and XLM-R as an OpenVINO graph over packed rows, in float or int8; the runtime fuses it for the CPU it meets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as op

from rapport.models.quantising import Ranges
from rapport.ops.errors import ModelError

Floats = npt.NDArray[np.float32]
Node = Any  # OpenVINO's nodes are untyped

_FAMILIES = ("bert", "roberta", "xlm-roberta")
# One byte: 256 values of an input, 127 either side of zero of a weight.
_LEVELS, _HALF = 256, 127
_SPLIT_HEADS, _SWAP = np.array([0, 2, 1, 3], dtype=np.int64), np.array([0, 2, 1, 3], dtype=np.int64)


class BertGraph:
    """Builds one model's graph. `weights`: float32 by their names in `transformers.BertModel`."""

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Floats], ranges: Ranges | None) -> None:
        """`ranges`: inputs of the products, for int8; None: float. Raises `ModelError` for another architecture."""
        if config.get("model_type") not in _FAMILIES or config.get("hidden_act", "gelu") != "gelu":
            raise ModelError(
                f"OpenVINO here runs {', '.join(_FAMILIES)}, not {config.get('model_type')}",
                field="RAPPORT_MODELS__RUNTIME",
                fix="set torch",
            )
        self._config, self._weights, self._ranges = config, weights, ranges
        self._heads, self._width = int(config["num_attention_heads"]), int(config["hidden_size"])

    def build(self) -> ov.Model:
        """ids and positions [rows, length], mask [rows, 1, length, length] → hidden [rows, length, width]."""
        ids, positions = (op.parameter([-1, -1], np.int32, name=name) for name in ("ids", "positions"))
        mask = op.parameter([-1, 1, -1, -1], np.float32, name="mask")
        hidden = self._embedded(ids, positions)
        for layer in range(int(self._config["num_hidden_layers"])):
            hidden = self._layer(hidden, mask, f"encoder.layer.{layer}.")
        return ov.Model([hidden], [ids, positions, mask])

    def _embedded(self, ids: Node, positions: Node) -> Node:
        axis = op.constant(np.int32(0))
        places = self._weight("embeddings.position_embeddings.weight")
        # All texts are of type 0.
        places = places + self._weight("embeddings.token_type_embeddings.weight")[:1]
        words = op.gather(op.constant(self._weight("embeddings.word_embeddings.weight")), ids, axis)
        return self._normed(op.add(words, op.gather(op.constant(places), positions, axis)), "embeddings.LayerNorm")

    def _layer(self, hidden: Node, mask: Node, name: str) -> Node:
        inner = [f"{name}attention.self.{part}" for part in ("query", "key", "value")]
        joint = self._linear(hidden, inner)
        query, key, value = (self._by_head(part) for part in op.split(joint, op.constant(np.int64(2)), 3).outputs())
        seen = op.transpose(op.scaled_dot_product_attention(query, key, value, mask, causal=False), op.constant(_SWAP))
        seen = op.reshape(seen, op.constant(np.array([0, 0, self._width], dtype=np.int64)), special_zero=True)
        seen = self._linear(seen, [f"{name}attention.output.dense"])
        hidden = self._normed(op.add(hidden, seen), f"{name}attention.output.LayerNorm")
        wide = op.gelu(self._linear(hidden, [f"{name}intermediate.dense"]), "erf")
        return self._normed(op.add(hidden, self._linear(wide, [f"{name}output.dense"])), f"{name}output.LayerNorm")

    def _by_head(self, part: Node) -> Node:
        shape = np.array([0, 0, self._heads, self._width // self._heads], dtype=np.int64)
        return op.transpose(op.reshape(part, op.constant(shape), special_zero=True), op.constant(_SPLIT_HEADS))

    def _linear(self, values: Node, names: Sequence[str]) -> Node:
        """x Wᵀ + b of one product, or of several on the same input as one."""
        weights = np.concatenate([self._weight(f"{name}.weight") for name in names])
        biases = np.concatenate([self._weight(f"{name}.bias") for name in names])
        if self._ranges is None:
            return op.add(op.matmul(values, op.constant(weights), False, True), op.constant(biases))
        if names[0] not in self._ranges:
            raise ModelError(f"the calibration lacks {names[0]}", fix="run `./rapport models optimise` anew")
        found = self._ranges[names[0]]
        bounds = [op.constant(np.float32(bound)) for bound in (found.low, found.high)]
        values = op.multiply(values, op.constant(1 / found.smoothing))
        values = op.fake_quantize(values, *bounds, *bounds, _LEVELS)
        smoothed = weights * found.smoothing
        scales = np.maximum(np.abs(smoothed).max(axis=1, keepdims=True) / _HALF, 1e-9).astype(np.float32)
        whole = op.constant(np.round(smoothed / scales).astype(np.int8))
        weight = op.multiply(op.convert(whole, np.float32), op.constant(scales))
        return op.add(op.matmul(values, weight, False, True), op.constant(biases))

    def _normed(self, values: Node, name: str) -> Node:
        last = op.constant(np.array([-1], dtype=np.int64))
        normed = op.mvn(values, last, True, float(self._config["layer_norm_eps"]), "INSIDE_SQRT")
        scaled = op.multiply(normed, op.constant(self._weight(f"{name}.weight")))
        return op.add(scaled, op.constant(self._weight(f"{name}.bias")))

    def _weight(self, name: str) -> Floats:
        if name not in self._weights:
            raise ModelError(f"the weights lack {name}")
        return self._weights[name]
