"""From settings to whatever makes text: our own decoder, loaded and warm, or another server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rapport.models.sets import chosen
from rapport.models.sources import locate
from rapport.models.text_ports import Decoder, Sampling
from rapport.ops.settings import Settings
from rapport.serving.device_thread import DeviceThread
from rapport.serving.dummy import DummyDecoder
from rapport.serving.generating.engine import TextEngine
from rapport.serving.generating.loop import GenerationLoop
from rapport.serving.host import ModelHost

# Tokens of each warming text: the prompt's shape and the answer's have then both been met.
_WARM_TOKENS = 4


def generation_host(settings: Settings, device: DeviceThread) -> ModelHost[Any, TextEngine]:
    """The part that serves `Generator`. Opens and loads nothing yet."""
    worker, models = settings.worker, settings.models
    if models.generator_url is not None and worker.backend != "dummy":
        from rapport.serving.generating.remote import RemoteEngine

        return ModelHost(
            "generator",
            device,
            lambda: None,
            lambda _: RemoteEngine(
                "generator",
                str(models.generator_url),
                model=models.generator,
                key=models.generator_key.get_secret_value() if models.generator_key else "",
                max_queue=worker.max_queue,
                default_max_tokens=worker.max_tokens,
            ),
        )
    return ModelHost(
        "generator",
        device,
        lambda: load_decoder(settings),
        lambda decoder: GenerationLoop(
            "generator",
            decoder,
            device,
            max_queue=worker.max_queue,
            default_max_tokens=worker.max_tokens,
        ),
    )


def load_decoder(settings: Settings) -> Decoder[Any]:
    """Loads and warms. Raises `ModelError` saying what was looked for."""
    if settings.worker.backend == "dummy":
        return DummyDecoder()
    from rapport.models.decoding.decoder import TorchDecoder

    named = chosen(settings.models)
    worker = settings.worker
    decoder = TorchDecoder(
        locate(named.generator, settings.models.cache),
        named.generator.name,
        context=named.context,
        device=worker.device,
        threads=worker.threads,
        slots=worker.max_generations,
        cache_mb=worker.generation_cache_mb or named.cache_mb,
        prefix_mb=worker.prefix_cache_mb,
        adapters={name: Path(folder).expanduser() for name, folder in settings.models.adapters.items()},
    )
    for several in (1, 2):
        texts = [decoder.begin(decoder.prompt([("user", "warm up")]), Sampling()) for _ in range(several)]
        for _ in range(_WARM_TOKENS):
            decoder.step(texts)
        for text in texts:
            decoder.end(text)
    return decoder
