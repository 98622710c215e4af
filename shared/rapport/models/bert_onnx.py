"""BERT and XLM-R as an ONNX file of the operators that ONNX Runtime has fused for them, in float or int8."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from rapport.models.bert_weights import BertWeights
from rapport.models.quantising import Ranges, quantised, range_of

# What ONNX Runtime 1.31 knows, and the operators of its own.
_OPSET, _OWN, _IR = 20, "com.microsoft", 10
# From the least to the most that a byte of an input says.
_STEPS = 255


class BertOnnx:
    """Builds one model's file. Its inputs and outputs are those that exporters give such models."""

    def __init__(self, weights: BertWeights, ranges: Ranges | None) -> None:
        """`ranges`: inputs of the products, for int8; None: float32."""
        self._from, self._ranges = weights, ranges
        self._nodes: list[onnx.NodeProto] = []
        self._held: list[onnx.TensorProto] = []

    def build(self) -> onnx.ModelProto:
        """input_ids and attention_mask int64 [texts, tokens] → last_hidden_state float32 [texts, tokens, width]."""
        present = self._node("Cast", ["attention_mask"], to=TensorProto.INT32)
        hidden = self._embedded()
        for layer in range(self._from.layers):
            hidden = self._layer(hidden, present, f"encoder.layer.{layer}.")
        self._nodes[-1].output[0] = "last_hidden_state"
        sides = ["texts", "tokens"]
        given = [
            helper.make_tensor_value_info(name, TensorProto.INT64, sides) for name in ("input_ids", "attention_mask")
        ]
        gives = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*sides, self._from.width])
        graph = helper.make_graph(self._nodes, "bert", given, [gives], self._held)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_OWN, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR, producer_name="rapport")

    def _embedded(self) -> str:
        # Half as large, and exact: encoders are stored in 16 bit here.
        table = self._hold("words", self._from["embeddings.word_embeddings.weight"].astype(ml_dtypes.bfloat16))
        words = self._node("Cast", [self._node("Gather", [table, "input_ids"])], to=TensorProto.FLOAT)
        places = self._from["embeddings.position_embeddings.weight"][self._from.first_position :]
        # All texts are of type 0.
        places = places + self._from["embeddings.token_type_embeddings.weight"][:1]
        tokens = self._node("Shape", ["input_ids"], start=1)
        zero = self._hold("zero", np.zeros(1, dtype=np.int64))
        here = self._node("Slice", [self._hold("places", places), zero, tokens, zero])
        normed = self._norm("embeddings.LayerNorm")
        return self._node(
            "LayerNormalization", [self._node("Add", [words, here]), *normed], epsilon=self._from.epsilon, axis=-1
        )

    def _layer(self, hidden: str, present: str, name: str) -> str:
        inner = [f"{name}attention.self.{part}" for part in ("query", "key", "value")]
        joint = self._linear(hidden, *inner)
        parts = [f"{joint}.{part}" for part in ("query", "key", "value")]
        self._nodes.append(helper.make_node("Split", [joint], parts, axis=-1, num_outputs=3))
        seen = self._own("MultiHeadAttention", [*parts, "", present], num_heads=self._from.heads)
        hidden = self._joined(self._linear(seen, f"{name}attention.output.dense"), hidden, f"{name}attention.output")
        wide = self._own("Gelu", [self._linear(hidden, f"{name}intermediate.dense")])
        return self._joined(self._linear(wide, f"{name}output.dense"), hidden, f"{name}output")

    def _linear(self, values: str, *names: str) -> str:
        """x Wᵀ + b of one product, or of several on the same input as one."""
        weights, biases = self._from.product(names)
        bias = self._hold(f"{names[0]}.bias", biases)
        if self._ranges is None:
            product = self._node("MatMul", [values, self._hold(names[0], np.ascontiguousarray(weights.T))])
            return self._node("Add", [product, bias])
        found = range_of(self._ranges, names[0])
        scale = np.float32(max((found.high - found.low) / _STEPS, 1e-9))
        held = [
            self._hold(f"{names[0]}.scale", np.array(scale, dtype=np.float32)),
            self._hold(f"{names[0]}.zero", np.array(np.clip(round(-found.low / scale), 0, _STEPS), dtype=np.uint8)),
        ]
        smoothing = self._hold(f"{names[0]}.smoothing", (1 / found.smoothing).astype(np.float32))
        whole = self._node("QuantizeLinear", [self._node("Mul", [values, smoothing]), *held])
        rounded, scales = quantised(weights, found.smoothing)
        matrix = self._hold(names[0], np.ascontiguousarray(rounded.T))
        steps = self._hold(f"{names[0]}.steps", scales[:, 0])
        return self._own("MatMulIntegerToFloat", [whole, matrix, held[0], steps, held[1], "", bias])

    def _joined(self, values: str, skipped: str, name: str) -> str:
        return self._own(
            "SkipLayerNormalization", [values, skipped, *self._norm(f"{name}.LayerNorm")], epsilon=self._from.epsilon
        )

    def _norm(self, name: str) -> list[str]:
        return [self._hold(f"{name}.{part}", self._from[f"{name}.{part}"]) for part in ("weight", "bias")]

    def _hold(self, name: str, values: npt.NDArray[Any]) -> str:
        self._held.append(numpy_helper.from_array(values, name))
        return name

    def _own(self, kind: str, given: list[str], **how: Any) -> str:
        return self._node(kind, given, domain=_OWN, **how)

    def _node(self, kind: str, given: list[str], **how: Any) -> str:
        name = f"{kind}.{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, given, [name], **how))
        return name
