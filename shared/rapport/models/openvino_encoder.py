"""An encoder run by OpenVINO on a CPU: packed rows, bf16 or int8 products."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rapport.models.cpus import available_cpus
from rapport.models.folder import identify, read_json
from rapport.models.packing import pack, pooled
from rapport.models.ports import ModelId, Role, Rows
from rapport.models.quantising import Ranges
from rapport.models.text_ids import TextIds
from rapport.ops.errors import ModelError

Precision = Literal["fp32", "bf16", "int8"]
# As for torch on a CPU: larger batches are no faster.
_BATCH_TOKENS = 2_048


class OpenVinoEncoder:
    """Unit vectors by mean or first-token pooling, as the model's folder says."""

    packs = True

    def __init__(
        self,
        folder: Path,
        name: str,
        prefixes: Mapping[Role, str] | None,
        precision: Precision,
        threads: int,
        ranges: Ranges | None = None,
    ) -> None:
        """`ranges`: the calibration, for int8. Raises `ModelError` for a folder of another kind."""
        self._ids = TextIds(folder, prefixes)
        config = read_json(folder / "config.json")
        self._padding = int(config.get("pad_token_id") or 0)
        self._first_position = self._padding + 1 if "roberta" in str(config.get("model_type")) else 0
        self._request = _compiled(folder, config, ranges, precision, threads)
        own = identify(folder, name)
        # int8 moves a vector by some thousandths: stored ones and new ones must not be mixed unnoticed.
        self.model = ModelId(own.id, f"{own.revision}-int8") if precision == "int8" else own
        self.dimensions = int(config["hidden_size"])
        self.batch_tokens = _BATCH_TOKENS

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Ids of each text with its role's prefix and the model's marks, cut to the window."""
        return self._ids(texts, role)

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, dimensions], L2 norm 1."""
        packed = pack(sequences, self._padding, self._first_position)
        hidden = self._request.infer([packed.ids, packed.positions, packed.mask], share_inputs=True, share_outputs=True)
        return pooled(hidden[0], packed, self._ids.embedding.pooling)


def _compiled(
    folder: Path, config: Mapping[str, Any], ranges: Ranges | None, precision: Precision, threads: int
) -> Any:
    # Its conversion tools send usage data; without this package they have none to send with.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: an import of it fails
    import openvino as ov

    from rapport.models.bert_graph import BertGraph

    model = BertGraph(config, _weights(folder), ranges).build()
    options = {
        "INFERENCE_NUM_THREADS": threads or available_cpus(),
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32" if precision == "fp32" else "bf16",
    }
    try:
        return ov.Core().compile_model(model, "CPU", options).create_infer_request()
    except RuntimeError as error:
        raise ModelError(f"{folder} cannot be compiled by OpenVINO: {error}") from error


def _weights(folder: Path) -> dict[str, Rows]:
    """float32 by name, without the family's prefix."""
    import torch
    from safetensors.torch import load_file

    found: dict[str, Rows] = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, tensor in load_file(file).items():
            short = name.removeprefix("bert.").removeprefix("roberta.")
            found[short] = np.asarray(tensor.to(torch.float32).numpy(), dtype=np.float32)
    return found
