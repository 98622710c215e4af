"""A network that points at answers, run by torch and transformers: question and passage in, a span out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering

from rapport.models.folder import identify
from rapport.models.ports import ModelId, Role, Rows
from rapport.models.quiet import quiet
from rapport.models.spans import Pair, Pairs, best_span, padded
from rapport.models.torch_device import choose_device, compute_dtype, set_threads
from rapport.ops.errors import ModelError

# As for the encoders: on a CPU larger batches are no faster.
_BATCH_TOKENS_CPU, _BATCH_TOKENS_GPU = 2_048, 65_536
# Lengths come in steps: on a CPU torch keeps code and buffers for every shape that it meets.
_LENGTHS = 32


def open_network(folder: Path, dtype: torch.dtype) -> Any:
    """From an encoder's folder the scores of start and end are drawn by lot: it has to be trained.

    Raises `ModelError` for a folder that holds another kind of model.
    """
    models: Any = AutoModelForQuestionAnswering  # untyped
    try:
        with quiet():
            return models.from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"{folder} cannot be loaded to point at answers: {error}") from error


class TorchReader:
    """A `SequenceBackend` of four numbers a row, `spans.Found`; sequences are the ids of `windows`.

    Both texts are of the same token type, whatever the network could tell apart: encoders of sentences never saw the
    second.
    """

    dimensions = 4

    def __init__(self, network: Any, pairs: Pairs, model: ModelId) -> None:
        self.network, self._pairs, self.model = network, pairs, model
        self.batch_tokens = _BATCH_TOKENS_CPU if network.device.type == "cpu" else _BATCH_TOKENS_GPU

    @classmethod
    def open(cls, folder: Path, name: str, device: str, threads: int) -> TorchReader:
        """Raises `ModelError` when the folder lacks something or holds another kind of model."""
        set_threads(threads)
        chosen = choose_device(device)
        network = open_network(folder, compute_dtype(chosen)).to(chosen).eval()
        return cls(network, Pairs(folder), identify(folder, name))

    def windows(self, question: str, passage: str) -> list[Pair]:
        """See `Pairs.windows`."""
        return self._pairs.windows(question, passage)

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Of each text as a passage, without a question, the first window: to warm up with."""
        return [self.windows("", text)[0].ids for text in texts]

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, 4]: the best span of each."""
        ids, mask = padded(sequences, self._pairs.padding, _LENGTHS)
        with torch.inference_mode():
            given = (torch.from_numpy(ids).to(self.network.device), torch.from_numpy(mask).to(self.network.device))
            scores = self.network(input_ids=given[0], attention_mask=given[1].long())
            starts, ends = (each.float().cpu().numpy() for each in (scores.start_logits, scores.end_logits))
        found = [
            best_span(starts[row], ends[row], self._pairs.first(sequence), len(sequence) - 1)
            for row, sequence in enumerate(sequences)
        ]
        return np.array([(one.start, one.end, one.odds, one.answered) for one in found], dtype=np.float32)
