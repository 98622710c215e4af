"""An encoder run by ONNX Runtime on a CPU, from the ONNX files that many model folders bring along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rapport.models.cpus import available_cpus
from rapport.models.folder import identify, read_json
from rapport.models.ports import ModelId, Role, Rows
from rapport.models.text_ids import TextIds
from rapport.ops.errors import ModelError

_BATCH_TOKENS = 2_048
# Where sentence-transformers and optimum put them; the first that is there is taken.
_FILES: Mapping[str, tuple[str, ...]] = {
    "fp32": ("onnx/model.onnx", "model.onnx"),
    "int8": ("onnx/model_qint8_avx512_vnni.onnx", "onnx/model_quantized.onnx", "onnx/model_qint8_avx512.onnx"),
}


class OnnxEncoder:
    """Unit vectors by mean or first-token pooling, as the model's folder says."""

    def __init__(
        self, folder: Path, name: str, prefixes: Mapping[Role, str] | None, precision: str, threads: int
    ) -> None:
        """`precision` auto or fp32: the float file; int8: a quantised one. Raises `ModelError` when it is not there."""
        self._ids = TextIds(folder, prefixes)
        config = read_json(folder / "config.json")
        self._padding = int(config.get("pad_token_id") or 0)
        self._session = _session(folder, "int8" if precision == "int8" else "fp32", threads)
        self._inputs = {each.name for each in self._session.get_inputs()}
        own = identify(folder, name)
        self.model = ModelId(own.id, f"{own.revision}-int8") if precision == "int8" else own
        self.dimensions = int(config["hidden_size"])
        self.batch_tokens = _BATCH_TOKENS

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Ids of each text with its role's prefix and the model's marks, cut to the window."""
        return self._ids(texts, role)

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, dimensions], L2 norm 1. Sequences of like length waste least."""
        lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
        ids = np.full((len(sequences), int(lengths.max())), self._padding, dtype=np.int64)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = sequence
        mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {name: array for name, array in given.items() if name in self._inputs})[0]
        if self._ids.embedding.pooling == "cls":
            vectors = hidden[:, 0]
        else:
            vectors = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _session(folder: Path, precision: str, threads: int) -> Any:
    import onnxruntime

    found = next((folder / name for name in _FILES[precision] if (folder / name).is_file()), None)
    if found is None:
        raise ModelError(
            f"no {precision} ONNX file in {folder}: looked for {', '.join(_FILES[precision])}",
            field="RAPPORT_MODELS__RUNTIME",
            fix="set openvino or torch, or take a model that brings one",
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_cpus()
    # Its threads would spin between two batches and take the cores from the other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(found), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base that it exports
        raise ModelError(f"{found} cannot be loaded by ONNX Runtime: {error}") from error
