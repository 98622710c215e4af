"""From settings, or from a promoted version, to an encoder and its heads. torch comes in here and not before."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import structlog

from rapport.models.lexical import load_head
from rapport.models.ports import Head, Role, SequenceBackend
from rapport.models.sentiment import TASK as SENTIMENT
from rapport.models.sentiment import sentiment_head
from rapport.models.sets import Choice, chosen
from rapport.models.sources import locate
from rapport.models.tuning.kinds import ENCODER
from rapport.models.versions import Version
from rapport.ops.errors import ModelError
from rapport.ops.settings import Settings
from rapport.serving.device_memory import DeviceMemory
from rapport.serving.dummy import DummyEncoder, DummyHead

log = structlog.stdlib.get_logger(__name__)

# One short text, a batch, a text beyond the window: each makes the runtime plan and allocate for a shape to come.
_WARM = (("warm up",), ("a blue cotton shirt, size medium",) * 16, ("word " * 1000,))
# Recorded texts that warm together: more would hold up the calls that the old model still answers meanwhile.
_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class LoadedEncoder:
    """An encoder and, by task, the heads fitted on it."""

    backend: SequenceBackend
    heads: Mapping[str, Head]


def load_encoder(
    settings: Settings,
    tasks: Collection[str],
    version: Version | None = None,
    promoted_heads: Mapping[str, Version] = MappingProxyType({}),
    memory: DeviceMemory | None = None,
) -> LoadedEncoder:
    """The encoder of `version`, or the one that the settings name. Raises `ModelError` saying what was looked for."""
    if settings.worker.backend == "dummy":
        backend: SequenceBackend = DummyEncoder(version.version if version else "1")
    else:
        backend = _load(settings, version, memory or DeviceMemory(0))
    return LoadedEncoder(backend, heads_for(settings, backend, tasks, promoted_heads))


def load_classifier(settings: Settings, task: str, version: Version, memory: DeviceMemory) -> LoadedEncoder:
    """A fine-tuned classifier with its own encoder. Raises `ModelError` when either is missing or they do not fit."""
    head = load_head(version.folder)
    if settings.worker.backend == "dummy":
        backend: SequenceBackend = DummyEncoder(version.version)
    else:
        # What was exported or calibrated for the settings' own encoder says nothing of this one.
        precision = "auto" if settings.models.precision == "int8" else settings.models.precision
        models = settings.models.model_copy(update={"runtime": "auto", "precision": precision})
        choice = Choice(version.name, str(version.folder / ENCODER))
        backend = _open(settings.model_copy(update={"models": models}), choice, memory)
    if head.dimensions != backend.dimensions:
        memory.release(str(backend.model))
        raise ModelError(f"{version}: a classifier of {head.dimensions} dimensions on {backend.dimensions}")
    return LoadedEncoder(backend, {task: head})


def heads_for(
    settings: Settings,
    backend: SequenceBackend,
    tasks: Collection[str],
    promoted: Mapping[str, Version],
    strict: str | None = None,
) -> Mapping[str, Head]:
    """The promoted head of each task, or else the built-in one, where there is one.

    A promoted head that was fitted on another encoder is passed over, and the log says so; for the task `strict` it
    raises `ModelError` instead.
    """
    heads: dict[str, Head] = {}
    for task in tasks:
        if task in promoted:
            try:
                heads[task] = _promoted_head(promoted[task], backend)
                continue
            except ModelError as error:
                if task == strict:
                    raise
                log.warning("promoted head passed over", task=task, reason=str(error))
        if settings.worker.backend == "dummy" and task in _BUILT_IN:
            heads[task] = DummyHead()
        elif task in _BUILT_IN:
            heads[task] = _BUILT_IN[task](settings, backend)
    return heads


def warming(backend: SequenceBackend, recorded: Sequence[tuple[str, Role]]) -> Iterator[Callable[[], object]]:
    """Steps of device work after which `backend` meets no shape for the first time: ours, then the `recorded` texts."""
    for texts in _WARM:
        yield functools.partial(_run, backend, texts, Role.PASSAGE)
    for at in range(0, len(recorded), _TOGETHER):
        for role in Role:
            asked = [text for text, its in recorded[at : at + _TOGETHER] if its == role]
            if asked:
                yield functools.partial(_run, backend, asked, role)


def _run(backend: SequenceBackend, texts: Sequence[str], role: Role) -> object:
    return backend.forward(backend.tokenize(texts, role))


def _load(settings: Settings, version: Version | None, memory: DeviceMemory) -> SequenceBackend:
    choice = chosen(settings.models).encoder
    if version is not None:
        # A fine-tuned version of the set's encoder keeps its prefixes; a folder of another kind names its own.
        choice = Choice(version.name, str(version.folder), choice.prefixes)
    return _open(settings, choice, memory)


def _open(settings: Settings, choice: Choice, memory: DeviceMemory) -> SequenceBackend:
    from rapport.models.encoders import open_encoder

    folder = locate(choice, settings.models.cache)
    backend = open_encoder(folder, choice, settings.models, settings.worker)
    memory.reserve(str(backend.model), sum(file.stat().st_size for file in folder.glob("*.safetensors")))
    return backend


def _promoted_head(version: Version, backend: SequenceBackend) -> Head:
    head = load_head(version.folder)
    wanted = version.manifest.requires.get("encoder", str(backend.model))
    if wanted != str(backend.model) or head.dimensions != backend.dimensions:
        raise ModelError(
            f"{version} was fitted on {wanted} with {head.dimensions} dimensions, but {backend.model} answers",
            fix="fit it anew on this encoder",
        )
    return head


def _sentiment(settings: Settings, encoder: SequenceBackend) -> Head:
    return sentiment_head(encoder.model, settings.models.cache, lambda: encoder)


_BUILT_IN: Mapping[str, Callable[[Settings, SequenceBackend], Head]] = MappingProxyType({SENTIMENT: _sentiment})
