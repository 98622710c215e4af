"""From settings, or from promoted versions, to a decoder that is loaded and warm. torch comes in here, not before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rapport.models.sets import Choice, chosen
from rapport.models.sources import locate
from rapport.models.text_ports import Decoder, Decoding, Sampling, Step
from rapport.models.versions import Version
from rapport.ops.errors import InvalidRequest, ModelError
from rapport.ops.settings import Settings
from rapport.serving.dummy import DummyDecoder

Turns = Sequence[tuple[str, str]]

# Tokens of each warming text: the prompt's shape and the answer's have then both been met.
_WARM_TOKENS = 4


def load_decoder(settings: Settings) -> Decoder[Any]:
    """What the settings name, warm. Raises `ModelError` saying what was looked for."""
    decoder = open_decoder(settings)
    for step in warming(decoder, ()):
        step()
    return decoder


def open_decoder(
    settings: Settings, version: Version | None = None, adapters: Mapping[str, Version] = MappingProxyType({})
) -> Decoder[Any]:
    """The model of `version`, or the one that the settings name, with their adapters and those promoted.

    Raises `ModelError` saying what was looked for, or which adapter does not fit.
    """
    if settings.worker.backend == "dummy":
        return DummyDecoder(version.version if version else "1", tuple(adapters))
    from rapport.models.decoding.decoder import TorchDecoder

    named = chosen(settings.models)
    worker = settings.worker
    choice = Choice(version.name, str(version.folder)) if version else named.generator
    folders = {name: Path(folder).expanduser() for name, folder in settings.models.adapters.items()}
    return TorchDecoder(
        locate(choice, settings.models.cache),
        choice.name,
        context=named.context,
        device=worker.device,
        threads=worker.threads,
        slots=worker.max_generations,
        cache_mb=worker.generation_cache_mb or named.cache_mb,
        prefix_mb=worker.prefix_cache_mb,
        adapters=folders | {name: each.folder for name, each in adapters.items()},
    )


def warming(decoder: Decoder[Any], recorded: Sequence[Turns]) -> Iterator[Callable[[], object]]:
    """Steps of device work after which `decoder` meets no shape for the first time: ours, then the `recorded` chats.

    Raises `ModelError` when the model cannot say a token.
    """
    hello: Turns = [("user", "warm up")]
    for several in (1, 2):
        yield from _steps(decoder, [decoder.begin(decoder.prompt(hello), Sampling(), None, "") for _ in range(several)])
    for turns in recorded:
        try:
            text = decoder.begin(decoder.prompt(turns), Sampling(), None, "")
        except InvalidRequest:
            continue  # the new model's template or context may not take what the old one's took
        yield from _steps(decoder, [text])


def _steps(decoder: Decoder[Any], texts: Sequence[Decoding]) -> Iterator[Callable[[], object]]:
    said = 0

    def step() -> None:
        nonlocal said
        for told in decoder.step(texts):
            if not isinstance(told, Step):
                raise ModelError(f"the model cannot say a token: {told}") from told
            said = _WARM_TOKENS if told.ended else said + told.tokens

    try:
        while said < _WARM_TOKENS:
            yield step
    finally:
        for text in texts:
            decoder.end(text)
