"""From settings to models that are loaded and warm. Runs on the device's thread; torch comes in here and not before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rapport.models.ports import Decoder, Head, Role, Sampling, SequenceBackend
from rapport.models.sentiment import TASK as SENTIMENT
from rapport.models.sentiment import sentiment_head
from rapport.models.sets import chosen
from rapport.models.sources import locate
from rapport.ops.errors import ConfigurationError
from rapport.ops.settings import Settings
from rapport.serving.dummy import DummyDecoder, DummyEncoder, DummyHead

# One short text, a batch, a text beyond the window: each makes torch plan and allocate for a shape that will come.
_WARM = (("warm up",), ("a blue cotton shirt, size medium",) * 16, ("word " * 1000,))
_WARM_TOKENS = 4


@dataclass(frozen=True, slots=True)
class LoadedEncoder:
    """An encoder and, by task, the heads fitted on it."""

    backend: SequenceBackend
    heads: Mapping[str, Head]


def load_encoder(settings: Settings, tasks: Collection[str]) -> LoadedEncoder:
    """Raises `ModelError` saying what was looked for, `ConfigurationError` for a task that nobody knows."""
    unknown = sorted(set(tasks) - set(_HEADS))
    if unknown:
        raise ConfigurationError(f"no such task: {', '.join(unknown)}", fix=f"one of {', '.join(_HEADS)}")
    if settings.worker.backend == "dummy":
        return LoadedEncoder(DummyEncoder(), {task: DummyHead() for task in tasks})
    from rapport.models.torch_encoder import TorchEncoder

    choice = chosen(settings.models).encoder
    folder = locate(choice, settings.models.cache)
    worker = settings.worker
    backend = TorchEncoder(folder, choice.name, choice.prefixes, worker.device, worker.threads)
    for texts in _WARM:
        backend.forward(backend.tokenize(texts, Role.PASSAGE))
    return LoadedEncoder(backend, {task: _HEADS[task](settings, backend) for task in tasks})


def load_decoder(settings: Settings) -> Decoder:
    """Raises `ModelError` saying what was looked for."""
    if settings.worker.backend == "dummy":
        return DummyDecoder()
    from rapport.models.torch_decoder import TorchDecoder

    named = chosen(settings.models)
    folder = locate(named.generator, settings.models.cache)
    worker = settings.worker
    decoder = TorchDecoder(folder, named.generator.name, named.context, worker.device, worker.threads)
    decoding = decoder.begin(decoder.prompt([("user", "warm up")]), Sampling())
    for _ in range(_WARM_TOKENS):
        decoding.step()
    return decoder


def _sentiment(settings: Settings, encoder: SequenceBackend) -> Head:
    return sentiment_head(encoder.model, settings.models.cache, lambda: encoder)


_HEADS: Mapping[str, Callable[[Settings, SequenceBackend], Head]] = MappingProxyType({SENTIMENT: _sentiment})
