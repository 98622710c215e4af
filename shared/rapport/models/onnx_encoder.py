"""An encoder run by ONNX Runtime on a CPU: from what `models optimise` exported, or the model folder's own files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rapport.models.ports import Role, Rows
from rapport.models.runtime_encoder import Precision, RuntimeEncoder
from rapport.ops.errors import ModelError

# Where sentence-transformers and optimum put them, and our export; the first that is there is taken.
FILES: Mapping[Precision, tuple[str, ...]] = {
    "fp32": ("onnx/model.onnx", "model.onnx"),
    "int8": ("onnx/model_quantized.onnx", "onnx/model_qint8_avx512_vnni.onnx", "onnx/model_qint8_avx512.onnx"),
}


class OnnxEncoder(RuntimeEncoder):
    """Unit vectors by mean or first-token pooling, as the model's folder says."""

    def __init__(
        self,
        folder: Path,
        name: str,
        prefixes: Mapping[Role, str] | None,
        precision: Precision,
        threads: int,
        exported: Path | None = None,
    ) -> None:
        """Files in `exported` go before the folder's own. Raises `ModelError` when there are none."""
        super().__init__(folder, name, prefixes, precision, threads)
        file = _found([each for each in (exported, folder) if each is not None], precision)
        self._session = _session(file, self._threads)
        self._inputs = {each.name for each in self._session.get_inputs()}

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, dimensions], L2 norm 1. Sequences of like length waste least."""
        lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
        ids = np.full((len(sequences), int(lengths.max())), self._padding, dtype=np.int64)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = sequence
        mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {name: array for name, array in given.items() if name in self._inputs})[0]
        if self._pooling == "cls":
            vectors = hidden[:, 0]
        else:
            vectors = (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _found(folders: Sequence[Path], precision: Precision) -> Path:
    names = FILES.get(precision, ())
    found = next((folder / name for folder in folders for name in names if (folder / name).is_file()), None)
    if found is None:
        raise ModelError(
            f"no {precision} ONNX file in {folders[-1]}: looked for {', '.join(names)}",
            field="RAPPORT_MODELS__RUNTIME",
            fix="run `./rapport models optimise --runtime onnxruntime`, or set openvino or torch",
        )
    return found


def _session(file: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Its threads would spin between two batches and take the cores from the other processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base that it exports
        raise ModelError(f"{file} cannot be loaded by ONNX Runtime: {error}") from error
