"""ONNX files of an encoder's folder, for machines where ONNX Runtime serves better than OpenVINO or torch."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rapport.models.bert_weights import BertWeights
from rapport.models.onnx_encoder import FILES
from rapport.models.quantising import Ranges
from rapport.models.runtime_encoder import Precision
from rapport.ops.errors import ConfigurationError


def export(folder: Path, ranges: Ranges | None, out: Path) -> None:
    """Writes a float file and, if there are `ranges`, an int8 one into `out`, where `OnnxEncoder` looks for them.

    Raises `ModelError` for another architecture, `ConfigurationError` where the package onnx is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise ConfigurationError(
            "the package onnx, which writes the file, is not installed", field="--runtime", fix="pip install onnx"
        )
    from rapport.models.bert_onnx import BertOnnx

    weights = BertWeights(folder)
    wanted: dict[Precision, Ranges | None] = {"fp32": None, "int8": ranges} if ranges else {"fp32": None}
    for precision, given in wanted.items():
        file = out / FILES[precision][0]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(BertOnnx(weights, given).build().SerializeToString())
