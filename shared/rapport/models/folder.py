"""A model folder in the Hugging Face layout: is it safe to open, which weights it holds, how it embeds texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rapport.models.ports import ModelId, Role
from rapport.ops.errors import ModelError

CARD = "rapport.json"
"""Our own page in a folder that `prepare` made: id, revision, what it was made from."""

# Unpickling runs whatever code the file holds.
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
# Bytes hashed at each end of a file: 16 GB need not be read to tell one from another.
_SAMPLE = 1 << 20

Pooling = Literal["mean", "cls"]


@dataclass(frozen=True, slots=True)
class Embedding:
    """How texts become vectors. `window`: tokens, prefix and marks included."""

    pooling: Pooling
    window: int
    prefixes: Mapping[Role, str]


def refuse_pickles(path: Path) -> None:
    """Raises `ModelError` when `path` is pickled weights, or a folder that has weights in no other form."""
    advice = "convert the weights to safetensors"
    if path.is_file() and path.suffix in _PICKLED:
        raise ModelError(f"{path} is a pickle, which can run code when it is opened", fix=advice)
    if path.is_dir() and not list(path.glob("*.safetensors")):
        pickles = sorted(file.name for file in path.iterdir() if file.suffix in _PICKLED)
        if pickles:
            raise ModelError(f"{path} holds pickled weights only ({pickles[0]}), which can run code", fix=advice)
        raise ModelError(f"no weights in {path}: looked for *.safetensors", fix="name a folder that has them")


def identify(folder: Path, name: str) -> ModelId:
    """Which weights `folder` holds: by its card, by the hub's commit, or else by a hash of the files."""
    card = read_json(folder / CARD)
    if card:
        return ModelId(card["id"], card["revision"])
    if folder.parent.name == "snapshots":
        return ModelId(name, folder.name[:12])
    return ModelId(name, fingerprint(folder))


def fingerprint(folder: Path) -> str:
    """12 hexadecimal digits over the configuration, the tokenizer and the weights; see `file_digest`."""
    files = sorted(file for file in [*folder.glob("*.json"), *folder.glob("*.safetensors")] if file.name != CARD)
    listing = "\n".join(f"{file.name} {file_digest(file)}" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()[:12]


def file_digest(file: Path) -> str:
    """12 hexadecimal digits over a file's size and its first and last MiB: any retraining changes those."""
    size = file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as stream:
        digest.update(stream.read(_SAMPLE))
        stream.seek(max(0, size - _SAMPLE))
        digest.update(stream.read(_SAMPLE))
    return digest.hexdigest()[:12]


def embedding(folder: Path, prefixes: Mapping[Role, str] | None = None) -> Embedding:
    """Pooling, window and prefixes as sentence-transformers stores them; `prefixes` where the folder names none.

    Raises `ModelError` for a kind of pooling that Rapport does not know.
    """
    pooling = read_json(folder / "1_Pooling" / "config.json")
    kind = pooling.get("pooling_mode") or next(
        (key for key in ("mean_tokens", "cls_token", "max_tokens", "lasttoken") if pooling.get(f"pooling_mode_{key}")),
        "mean",
    )
    if kind not in ("mean", "mean_tokens", "cls", "cls_token"):
        raise ModelError(f"{folder}: no such pooling here: {kind}", fix="choose an encoder with mean or cls pooling")
    model = read_json(folder / "config.json")
    # RoBERTa's positions begin after the padding id: two fewer than the table's rows can be used.
    positions = model.get("max_position_embeddings", 512) - (2 if "roberta" in model.get("model_type", "") else 0)
    window = read_json(folder / "sentence_bert_config.json").get("max_seq_length") or positions
    named = read_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    own = {
        Role.QUERY: named.get("query", ""),
        Role.PASSAGE: named.get("passage", "") or named.get("document", ""),
    }
    return Embedding(
        pooling="cls" if kind.startswith("cls") else "mean",
        window=min(window, positions),
        prefixes=own if any(own.values()) else prefixes or own,
    )


def read_json(file: Path) -> dict[str, Any]:
    """The object in `file`; empty when there is no such file. Raises `ModelError` when it is not a JSON object."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ModelError(f"{file} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{file} is not a JSON object")
    return content
