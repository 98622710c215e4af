"""An encoder run by torch and transformers: BERT, XLM-R and their kin, from a folder of safetensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from transformers import AutoModel

from rapport.models.folder import identify, read_json
from rapport.models.ports import ModelId, Role, Rows
from rapport.models.quiet import quiet
from rapport.models.text_ids import TextIds
from rapport.models.torch_device import choose_device, compute_dtype, set_threads
from rapport.ops.errors import ModelError

# Tokens from which on a batch is no faster: 2 Zen 5 cores peak at 500 to 2,000 (604 to 617 texts/s; 406 at 8,192);
# GPUs want all that the settings allow.
_BATCH_TOKENS_CPU, _BATCH_TOKENS_GPU = 2_048, 65_536


class TorchEncoder:
    """Unit vectors by mean or first-token pooling, as the model's folder says."""

    def __init__(
        self,
        folder: Path,
        name: str,
        prefixes: Mapping[Role, str] | None,
        device: str,
        threads: int,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Loads; takes a second for a small model. `dtype` None: what the device is good at.

        Raises `ModelError` when the folder lacks something or holds another kind of model.
        """
        set_threads(threads)
        self._device = choose_device(device)
        self._ids = TextIds(folder, prefixes)
        self._embedding = self._ids.embedding
        self.network = _network(folder, self._device, dtype or compute_dtype(self._device))
        self._pad = int(read_json(folder / "config.json").get("pad_token_id") or 0)
        self.model: ModelId = identify(folder, name)
        self.dimensions: int = self.network.config.hidden_size
        self.batch_tokens: int = _BATCH_TOKENS_CPU if self._device.type == "cpu" else _BATCH_TOKENS_GPU

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Ids of each text with its role's prefix and the model's marks, cut to the window."""
        return self._ids(texts, role)

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, dimensions], L2 norm 1. Sequences of like length waste least."""
        ids, mask = self._padded(sequences)
        with torch.inference_mode():
            present = torch.from_numpy(mask).to(self._device)
            hidden = self.network(
                input_ids=torch.from_numpy(ids).to(self._device),
                # Nothing padded, nothing to mask: torch then takes its fastest attention.
                attention_mask=None if mask.all() else present.long(),
            ).last_hidden_state.float()
            vectors = torch.nn.functional.normalize(self._pool(hidden, present), dim=1)
        return np.asarray(vectors[: len(sequences)].cpu().numpy(), dtype=np.float32)

    def _padded(self, sequences: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Ids and which of them are real, both [rows, length]; rows behind the sequences are there for their number."""
        rows, length = len(sequences), max(map(len, sequences))
        if self._device.type == "cpu":
            rows, length = _round_up(rows), min(_round_up(length), self._embedding.window)
        ids = np.full((rows, length), self._pad, dtype=np.int64)
        lengths = np.ones(rows, dtype=np.int64)  # a row without anything real would be divided by zero
        for row, sequence in enumerate(sequences):
            lengths[row] = len(sequence)
            ids[row, : len(sequence)] = sequence
        return ids, np.arange(length) < lengths[:, None]

    def _pool(self, hidden: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        if self._embedding.pooling == "cls":
            return hidden[:, 0]
        weights = present.unsqueeze(-1).float()
        return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


def _round_up(size: int) -> int:
    """`size`, or a little more: four sizes an octave (…, 16, 20, 24, 28, 32, 40, …), so that batches have few shapes.

    On a CPU torch compiles and keeps code and buffers for every shape that it meets, some 2 MB each: 300 shapes of
    random batches took 650 MB, the same batches rounded up take 150 MB and a tenth more tokens.
    """
    step = 1 << max(0, size.bit_length() - 3)
    return -(-size // step) * step


def _network(folder: Path, device: torch.device, dtype: torch.dtype) -> Any:
    """The network, ready to run. Weights stored in the dtype that is computed in stay mapped from their file, and so
    are shared between the workers of one machine.
    """
    half = torch.bfloat16 if dtype == torch.float32 else dtype
    try:
        with quiet():
            network = AutoModel.from_pretrained(folder, dtype=half, use_safetensors=True, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder} cannot be loaded as an encoder: {error}") from error
    if getattr(network, "pooler", None) is not None:
        network.pooler = None  # the sentence encoders do not use it, and it costs a product a text
    if dtype == torch.float32:
        _compute_in_float32(network)
    return network.to(device).eval()


def _compute_in_float32(network: Any) -> None:
    """Everything in float32 save the word table, four fifths of a multilingual model, which is only looked up in: its
    rows are widened as they leave it.
    """
    table = network.get_input_embeddings()
    kept = table.weight.data
    network.float()
    table.weight.data = kept
    table.register_forward_hook(lambda _module, _args, rows: rows.float())
