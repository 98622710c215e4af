"""Trained intents as versions: saved, registered, and taken over by the running bot."""

from __future__ import annotations

import json
from pathlib import Path

from rapport.models.folder import read_json
from rapport.models.heads import SoftmaxHead
from rapport.models.versions import Version
from rapport.ops.errors import ModelError
from services.chatbot.training.intents import Intents

NAME, KIND = "chatbot-intents", "head"
_FACTS = "intents.json"


def save(intents: Intents, folder: Path) -> None:
    """Writes the head and what belongs to it into `folder`."""
    intents.head.save(folder)
    facts = {"act_from": intents.act_from, "accuracy": intents.accuracy, "by_intent": dict(intents.by_intent)}
    (folder / _FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def load(version: Version, space: str) -> Intents:
    """Raises `ModelError` for a version of another kind, or learned in another encoder's `space`."""
    if version.kind != KIND:
        raise ModelError(f"{version.name} {version.version} is of kind {version.kind}, not {KIND}")
    learned_in = version.manifest.requires.get("encoder", "")
    if learned_in != space:
        raise ModelError(
            f"{version.name} {version.version} was learned with the encoder {learned_in}, and {space} answers now",
            fix="./rapport train intents FILE with this encoder",
        )
    facts = read_json(version.folder / _FACTS)
    return Intents(SoftmaxHead.load(version.folder), facts["act_from"], facts["accuracy"], facts["by_intent"])
