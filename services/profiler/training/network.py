"""An encoder with a classifier on top, as torch trains it: mean pooling, unit vectors, W v + b."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModel

from rapport.models.folder import embedding
from rapport.models.heads import SoftmaxHead
from rapport.models.ports import ModelId, Role
from rapport.models.quiet import quiet
from services.profiler.training.examples import Example

Method = Literal["full", "lora"]
# LoRA's usual rank and scale; on every linear map of the layers that are trained.
_RANK, _ALPHA, _DROPOUT = 16, 32, 0.05
# E5's makers advise the query form for symmetric tasks such as this one.
_ROLE = Role.QUERY
_COPIED = ("tokenizer*", "special_tokens_map.json", "config_sentence_transformers.json", "sentence_bert_config.json")


class Network(torch.nn.Module):
    """Text in, scores out. The word table stays as it is: four fifths of a multilingual model, and seldom the point."""

    def __init__(
        self,
        folder: Path,
        prefixes: Mapping[Role, str] | None,
        labels: Sequence[str],
        method: Method,
        layers: int,
        window: int,
    ) -> None:
        """`layers`: how many of the uppermost are trained, 0: all. `window`: tokens of a text that are read."""
        super().__init__()
        self._folder, self.labels = folder, tuple(labels)
        facts = embedding(folder, prefixes)
        self._prefix = facts.prefixes.get(_ROLE, "")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(min(window, facts.window))
        with quiet():
            encoder = AutoModel.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
            )
        encoder.pooler = None
        _freeze(encoder, layers)
        self.encoder = _adapted(encoder) if method == "lora" else encoder
        self.head = torch.nn.Linear(encoder.config.hidden_size, len(labels))

    def start_from(self, head: SoftmaxHead) -> None:
        """The classifier begins as one fitted on the encoder as it is; `head`'s labels are in our order."""
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(np.ascontiguousarray(head.weights)))
            self.head.bias.copy_(torch.from_numpy(np.ascontiguousarray(head.biases)))

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, cut to the window."""
        return [found.ids for found in self._tokenizer.encode_batch_fast([self._prefix + text for text in texts])]

    def vectors(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """[n, d], unit length."""
        length = max(map(len, sequences))
        ids = torch.full((len(sequences), length), self.encoder.config.pad_token_id or 0)
        mask = torch.zeros((len(sequences), length))
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            mask[row, : len(sequence)] = 1
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        pooled = (hidden * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return torch.nn.functional.normalize(pooled, dim=1)

    def forward(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """Scores [n, labels]."""
        scores: torch.Tensor = self.head(self.vectors(sequences))
        return scores

    def save(self, folder: Path, head_id: ModelId) -> None:
        """Encoder (LoRA merged into it) in `folder`/encoder, the classifier beside it."""
        place = folder / "encoder"
        place.mkdir()
        whole: Any = self.encoder.merge_and_unload() if hasattr(self.encoder, "merge_and_unload") else self.encoder
        with quiet():
            whole.to(torch.bfloat16).save_pretrained(place, safe_serialization=True)
        for pattern in _COPIED:
            for file in self._folder.glob(pattern):
                shutil.copy2(file, place / file.name)
        if (self._folder / "1_Pooling").is_dir():
            shutil.copytree(self._folder / "1_Pooling", place / "1_Pooling")
        weights = self.head.weight.detach().float().numpy()
        SoftmaxHead(head_id, self.labels, _ROLE, weights, self.head.bias.detach().float().numpy()).save(folder)


def label_numbers(examples: Sequence[Example], labels: Sequence[str]) -> torch.Tensor:
    """[n]: the column of each example's label."""
    places = {label: number for number, label in enumerate(labels)}
    return torch.tensor([places[example.label] for example in examples])


def _freeze(encoder: Any, layers: int) -> None:
    encoder.embeddings.requires_grad_(False)
    blocks = encoder.encoder.layer
    for block in blocks[: len(blocks) - layers] if layers else ():
        block.requires_grad_(False)


def _adapted(encoder: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    trained = [
        name
        for name, module in encoder.named_modules()
        if isinstance(module, torch.nn.Linear) and module.weight.requires_grad
    ]
    config = LoraConfig(r=_RANK, lora_alpha=_ALPHA, lora_dropout=_DROPOUT, target_modules=trained)
    return get_peft_model(encoder, config)
