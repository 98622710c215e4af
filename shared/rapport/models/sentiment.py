"""Sentiment of shop talk in English and Chinese, as a head on whatever encoder is chosen.

The 240 examples (`sentiment_seed.tsv`: label, text) were written for Rapport: enough for a first answer, and what a
shop's own labelled reviews replace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np

from rapport.models import heads
from rapport.models.folder import CARD, read_json
from rapport.models.heads import SoftmaxHead
from rapport.models.ports import ModelId, Role, SequenceBackend
from rapport.models.prepared import prepared

TASK = "sentiment"

# E5's makers advise the query form on both sides for symmetric tasks such as this one.
_ROLE = Role.QUERY
# Texts embedded at a time while fitting.
_BATCH = 32


def sentiment_head(encoder: ModelId, cache: Path, load: Callable[[], SequenceBackend]) -> SoftmaxHead:
    """The head for exactly this encoder, from the cache; when it is not there, fitted with `load()` and stored first.

    Fitting takes a second besides the loading.
    """
    model = _head_id(encoder)
    prepared(_folder(encoder, cache), model.id, f"{encoder} {model}", lambda aside: _build(model, load(), aside))
    return SoftmaxHead.load(_folder(encoder, cache))


def held_out_accuracy(encoder: ModelId, cache: Path) -> float:
    """What the stored head got right on seed examples that it had not seen, 0..1."""
    return float(read_json(_folder(encoder, cache) / CARD)["held_out_accuracy"])


def _seed() -> str:
    return resources.files(__package__).joinpath("sentiment_seed.tsv").read_text(encoding="utf-8")


def _head_id(encoder: ModelId) -> ModelId:
    """Changes with the encoder and with the seed."""
    return ModelId(f"rapport/{TASK}", hashlib.sha256(f"{encoder}\n{_seed()}".encode()).hexdigest()[:12])


def _folder(encoder: ModelId, cache: Path) -> Path:
    return cache / "heads" / f"{TASK}-{_head_id(encoder).revision}"


def _build(model: ModelId, encoder: SequenceBackend, folder: Path) -> dict[str, object]:
    answers, texts = zip(*(line.split("\t") for line in _seed().splitlines()), strict=True)
    sequences = encoder.tokenize(texts, _ROLE)
    batches = [sequences[start : start + _BATCH] for start in range(0, len(sequences), _BATCH)]
    vectors = np.concatenate([encoder.forward(batch) for batch in batches])
    fitted = heads.fit(model, vectors, answers, _ROLE)
    fitted.head.save(folder)
    return {"encoder": str(encoder.model), "held_out_accuracy": round(fitted.held_out_accuracy, 4)}
