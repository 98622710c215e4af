"""Trained intents as versions: saved, registered, and taken over by the running bot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rapport.models.folder import read_json
from rapport.models.heads import SoftmaxHead
from rapport.models.tuning.kinds import CLASSIFIER, HEAD
from rapport.models.versions import Version
from rapport.ops.errors import ModelError

NAME = "chatbot-intents"
"""Of the versions, and of the worker's task that answers by one with an encoder of its own."""
_FACTS = "intents.json"


@dataclass(frozen=True, slots=True)
class Facts:
    """What understanding needs beside P(intent | text)."""

    act_from: float
    """The probability from which on an intent is acted on."""
    accuracy: float
    """Of the likeliest intent, on examples left out of the fit."""
    by_intent: Mapping[str, float]
    """Recall of each intent, likewise."""

    def save(self, folder: Path) -> None:
        (folder / _FACTS).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def facts_of(version: Version) -> Facts:
    """Raises `ModelError` for a version that is none of intents."""
    if version.kind not in (HEAD, CLASSIFIER):
        raise ModelError(f"{version.name} {version.version} is of kind {version.kind}, not {HEAD} or {CLASSIFIER}")
    return Facts(**read_json(version.folder / _FACTS))


def head_of(version: Version, space: str) -> SoftmaxHead:
    """The classifier of a version of kind head. Raises `ModelError` for one that was learned in another `space`."""
    learned_in = version.manifest.requires.get("encoder", "")
    if learned_in != space:
        raise ModelError(
            f"{version.name} {version.version} was learned with the encoder {learned_in}, and {space} answers now",
            fix="./rapport train intents FILE with this encoder",
        )
    return SoftmaxHead.load(version.folder)
