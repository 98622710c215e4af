"""An encoder run by OpenVINO on a CPU: packed rows, bf16 or int8 products."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rapport.models.bert_weights import BertWeights
from rapport.models.packing import pack, pooled
from rapport.models.ports import Role, Rows
from rapport.models.quantising import Ranges
from rapport.models.runtime_encoder import Precision, RuntimeEncoder
from rapport.ops.errors import ModelError


class OpenVinoEncoder(RuntimeEncoder):
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
        super().__init__(folder, name, prefixes, precision, threads)
        weights = BertWeights(folder)
        self._first_position = weights.first_position
        self._request = _compiled(weights, ranges, precision, self._threads)

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, dimensions], L2 norm 1."""
        packed = pack(sequences, self._padding, self._first_position)
        hidden = self._request.infer([packed.ids, packed.positions, packed.mask], share_inputs=True, share_outputs=True)
        return pooled(hidden[0], packed, self._pooling)


def _compiled(weights: BertWeights, ranges: Ranges | None, precision: Precision, threads: int) -> Any:
    # Its conversion tools send usage data; without this package they have none to send with.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: an import of it fails
    import openvino as ov

    from rapport.models.bert_graph import BertGraph

    options = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32" if precision == "fp32" else "bf16",
    }
    try:
        return ov.Core().compile_model(BertGraph(weights, ranges).build(), "CPU", options).create_infer_request()
    except RuntimeError as error:
        raise ModelError(f"the encoder cannot be compiled by OpenVINO: {error}") from error
