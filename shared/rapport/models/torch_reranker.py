"""A cross-encoder run by torch and transformers: query and passage read together, one score a pair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

from rapport.models.folder import identify, read_json
from rapport.models.ports import PAIR, ModelId, Role, Rows
from rapport.models.quiet import quiet
from rapport.models.torch_device import choose_device, compute_dtype, set_threads
from rapport.ops.errors import ModelError

# As for the encoders: on a CPU larger batches are no faster.
_BATCH_TOKENS_CPU, _BATCH_TOKENS_GPU = 2_048, 65_536


class TorchReranker:
    """A `SequenceBackend` of one number a row, higher for more relevant; texts are query + `PAIR` + passage."""

    dimensions = 1

    def __init__(self, folder: Path, name: str, device: str, threads: int) -> None:
        """Loads. Raises `ModelError` when the folder holds another kind of model."""
        set_threads(threads)
        self._device = choose_device(device)
        config = read_json(folder / "config.json")
        file = folder / "tokenizer.json"
        if not file.is_file():
            raise ModelError(f"no tokenizer in {folder}: looked for tokenizer.json")
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        # The query stays whole: what is too long is cut from the passage, the longer one.
        self._tokenizer.enable_truncation(_window(config), strategy="longest_first")
        self._network = _network(folder, self._device)
        self._two_types = int(config.get("type_vocab_size") or 1) > 1
        self._padding = int(config.get("pad_token_id") or 0)
        self.model: ModelId = identify(folder, name)
        self.batch_tokens = _BATCH_TOKENS_CPU if self._device.type == "cpu" else _BATCH_TOKENS_GPU

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Ids of each pair with the model's marks, cut to the window."""
        pairs = [(query, passage) for query, _, passage in (text.partition(PAIR) for text in texts)]
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(pairs)]

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [pairs, 1]: the model's logit of "relevant"."""
        length = max(map(len, sequences))
        ids = np.full((len(sequences), length), self._padding, dtype=np.int64)
        mask, types = np.zeros_like(ids), np.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)], mask[row, : len(sequence)] = sequence, 1
            if self._two_types:
                # The mark that ends the pair also ends the query; what follows its first one is the passage.
                types[row, sequence.index(sequence[-1]) + 1 : len(sequence)] = 1
        given = {"input_ids": ids, "attention_mask": mask} | ({"token_type_ids": types} if self._two_types else {})
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(array).to(self._device) for name, array in given.items()}
            logits = self._network(**tensors).logits
        return np.asarray(logits.float().cpu().numpy(), dtype=np.float32)


def _window(config: dict[str, Any]) -> int:
    positions = int(config.get("max_position_embeddings", 512))
    return positions - (2 if "roberta" in str(config.get("model_type")) else 0)


def _network(folder: Path, device: torch.device) -> Any:
    models: Any = AutoModelForSequenceClassification  # untyped
    try:
        with quiet():
            network = models.from_pretrained(
                folder, dtype=compute_dtype(device), use_safetensors=True, local_files_only=True
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"{folder} cannot be loaded as a reranker: {error}") from error
    if network.config.num_labels != 1:
        raise ModelError(f"{folder} gives {network.config.num_labels} scores a pair; a reranker gives one")
    return network.to(device).eval()
