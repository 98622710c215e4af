"""An encoder with a classifier on top, as torch trains it: pooling, unit vectors, W v + b."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModel

from rapport.models.folder import embedding
from rapport.models.heads import SoftmaxHead
from rapport.models.ports import ModelId, Role, Rows
from rapport.models.quiet import quiet
from rapport.models.tuning.kinds import ENCODER
from rapport.models.tuning.recipe import ROLE, Recipe
from rapport.ops.errors import ModelError

# LoRA's usual rank and scale; on every linear map of the layers that are trained.
_RANK, _ALPHA, _DROPOUT = 16, 32, 0.05
COPIED = ("tokenizer*", "special_tokens_map.json")
"""Files that a network of the same tokens needs beside its weights."""


class Network(torch.nn.Module):
    """Text in, scores out."""

    def __init__(
        self, folder: Path, prefixes: Mapping[Role, str] | None, labels: Sequence[str], recipe: Recipe
    ) -> None:
        """`folder`: the encoder to start from. Raises `ModelError` when it is of a family that is not trained here."""
        super().__init__()
        self._folder, self.labels, self._independent = folder, tuple(labels), recipe.multi_label
        self._facts = embedding(folder, prefixes)
        self._prefix = self._facts.prefixes.get(ROLE, "")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._window = min(recipe.window, self._facts.window)
        self._tokenizer.enable_truncation(self._window)
        with quiet():
            encoder = AutoModel.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
            )
        encoder.pooler = None
        freeze(encoder, recipe)
        self.encoder = _adapted(encoder) if recipe.method == "lora" else encoder
        self.head = torch.nn.Linear(encoder.config.hidden_size, len(labels))

    def start_from(self, weights: Rows, biases: Rows) -> None:
        """The classifier begins as one fitted on the encoder as it is."""
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(np.ascontiguousarray(weights)))
            self.head.bias.copy_(torch.from_numpy(np.ascontiguousarray(biases)))

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
        if self._facts.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            pooled = (hidden * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return torch.nn.functional.normalize(pooled, dim=1)

    def forward(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """Scores [n, labels]."""
        scores: torch.Tensor = self.head(self.vectors(sequences))
        return scores

    def classifier(self, model: ModelId, temperature: float = 1.0) -> SoftmaxHead:
        """The classifier as it is now, for numpy."""
        weights = self.head.weight.detach().float().numpy().copy()
        biases = self.head.bias.detach().float().numpy().copy()
        return SoftmaxHead(model, self.labels, ROLE, weights, biases, temperature, self._independent)

    def save_encoder(self, folder: Path) -> None:
        """The encoder, LoRA merged into it, in `folder`/encoder, which reads texts as they were read here: with this
        prefix, up to this window. It then trains no further.
        """
        place = folder / ENCODER
        place.mkdir()
        whole: Any = self.encoder.merge_and_unload() if hasattr(self.encoder, "merge_and_unload") else self.encoder
        with quiet():
            whole.to(torch.bfloat16).save_pretrained(place, safe_serialization=True)
        for pattern in COPIED:
            for file in self._folder.glob(pattern):
                shutil.copy2(file, place / file.name)
        prompts = {role.value: prefix for role, prefix in self._facts.prefixes.items()}
        (place / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}), encoding="utf-8")
        window = json.dumps({"max_seq_length": self._window})
        (place / "sentence_bert_config.json").write_text(window, encoding="utf-8")
        if (self._folder / "1_Pooling").is_dir():
            shutil.copytree(self._folder / "1_Pooling", place / "1_Pooling")


def freeze(encoder: Any, recipe: Recipe) -> None:
    """What of an encoder does not learn. Raises `ModelError` for a family that is not trained here."""
    try:
        words, blocks = encoder.embeddings, encoder.encoder.layer
    except AttributeError as error:
        raise ModelError(
            f"{type(encoder).__name__} is not trained here", fix="choose an encoder of the BERT or XLM-R family"
        ) from error
    words.requires_grad_(recipe.words)
    for block in blocks[: len(blocks) - recipe.layers] if recipe.layers else ():
        block.requires_grad_(False)


def _adapted(encoder: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    trained = [
        name
        for name, module in encoder.named_modules()
        if isinstance(module, torch.nn.Linear) and module.weight.requires_grad
    ]
    config = LoraConfig(r=_RANK, lora_alpha=_ALPHA, lora_dropout=_DROPOUT, target_modules=trained)
    # peft asks transformers by an old name.
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        return get_peft_model(encoder, config)
