"""Calibrates an encoder for int8, and checks every runtime on this machine against float32 before it may serve."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from rapport.models import optimised, quantising
from rapport.models.openvino_encoder import OpenVinoEncoder, Precision
from rapport.models.ports import Role, Rows, SequenceBackend
from rapport.models.prepared import prepared
from rapport.models.quantising import InputRange, Ranges
from rapport.models.sets import Choice
from rapport.models.torch_encoder import TorchEncoder
from rapport.ops.errors import ModelError

TEXTS = 1000
"""Texts on which vectors are compared."""
LEAST_COSINE: Mapping[Precision, float] = {"bf16": 0.999, "int8": 0.995}
"""Of the worst text. Below it a precision is refused."""

# Texts that show the ranges; more changed the worst cosine by less than 1e-4 on multilingual-e5-small.
_CALIBRATED_ON = 128
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Compared:
    """One precision beside float32: cosines over the texts, and texts a second, one batch after the other."""

    worst: float
    mean: float
    texts_a_second: float


def optimise(
    choice: Choice, folder: Path, cache: Path, texts: Sequence[str], threads: int, progress: Callable[[str], None]
) -> Mapping[Precision, Compared]:
    """Calibrates on some of `texts`, compares on all of them, and stores the calibration if int8 is near enough.

    Raises `ModelError` with the figures when it is not; what was stored before stays then.
    """
    exact = TorchEncoder(folder, choice.name, choice.prefixes, "cpu", threads, _float32())
    wanted, base = _run(exact, texts)
    progress(f"torch fp32: {base:.0f} texts/s")
    ranges = calibrate(exact, texts[:: max(1, len(texts) // _CALIBRATED_ON)][:_CALIBRATED_ON])
    found: dict[Precision, Compared] = {}
    for precision, least in LEAST_COSINE.items():
        backend = OpenVinoEncoder(
            folder, choice.name, choice.prefixes, precision, threads, ranges if precision == "int8" else None
        )
        rows, speed = _run(backend, texts)
        cosines = (rows * wanted).sum(axis=1)
        found[precision] = Compared(float(cosines.min()), float(cosines.mean()), speed)
        progress(
            f"openvino {precision}: {speed:.0f} texts/s, cosine to fp32 {cosines.mean():.5f}, worst {cosines.min():.5f}"
        )
        if found[precision].worst < least:
            raise ModelError(
                f"{precision} of {exact.model} comes no nearer to float32 than {found[precision].worst:.4f}",
                fix=f"at least {least} is needed; keep serving it without",
            )
    card = {precision: {"worst": each.worst, "mean": each.mean} for precision, each in found.items()}
    made_from = f"{exact.model} {time.time_ns()}"  # a new calibration always replaces the one before
    prepared(
        optimised.folder_of(cache, exact.model), str(exact.model), made_from, lambda aside: _store(ranges, card, aside)
    )
    return found


def built_in_texts() -> list[str]:
    """1,000 English and Chinese texts of mixed length, from the seed sentences of the sentiment head."""
    seed = resources.files(__package__).joinpath("sentiment_seed.tsv").read_text(encoding="utf-8")
    sentences = [line.split("\t")[1] for line in seed.splitlines()]
    dice = np.random.default_rng(0)
    joined = (" ".join(dice.choice(sentences, size=int(dice.integers(2, 9)))) for _ in range(TEXTS - len(sentences)))
    return [*sentences, *joined]


def calibrate(encoder: TorchEncoder, texts: Sequence[str]) -> Ranges:
    """The inputs of every product while `encoder` (float32) embeds `texts`: outliers first, then the smoothed range."""
    largest: dict[str, Rows] = {}
    weights: dict[str, list[Rows]] = {}

    def widest(name: str, module: Any, values: Any) -> None:
        columns = np.asarray(values.abs().amax(dim=(0, 1)).numpy(), dtype=np.float32)
        largest[name] = np.maximum(largest.get(name, columns), columns)
        known = weights.setdefault(name, [])
        if len(known) < (3 if name.endswith("query") else 1):
            known.append(np.asarray(module.weight.detach().numpy(), dtype=np.float32))

    _watch(encoder, texts, widest)
    smoothing = {name: quantising.smoothing_of(largest[name], np.concatenate(weights[name])) for name in largest}
    bounds: dict[str, tuple[float, float]] = {}

    def bounded(name: str, _module: Any, values: Any) -> None:
        smoothed = values.numpy() / smoothing[name]
        low, high = bounds.get(name, (0.0, 0.0))
        bounds[name] = min(low, float(smoothed.min())), max(high, float(smoothed.max()))

    _watch(encoder, texts, bounded)
    return {name: InputRange(smoothing[name], *bounds[name]) for name in smoothing}


def _watch(encoder: TorchEncoder, texts: Sequence[str], see: Callable[[str, Any, Any], None]) -> None:
    """Calls `see` with the name, the module and the input of every product; query, key and value share an input."""
    import torch

    hooks = []
    for name, module in encoder.network.named_modules():
        if isinstance(module, torch.nn.Linear) and name.startswith("encoder.layer."):
            shared = name.replace("self.key", "self.query").replace("self.value", "self.query")
            hooks.append(
                module.register_forward_pre_hook(lambda module, given, shared=shared: see(shared, module, given[0]))
            )
    try:
        # One text at a time: padding is no input that matters, yet would widen the ranges.
        for sequence in encoder.tokenize(texts, Role.PASSAGE):
            encoder.forward([sequence])
    finally:
        for hook in hooks:
            hook.remove()


def _run(backend: SequenceBackend, texts: Sequence[str]) -> tuple[Rows, float]:
    """Rows in the order of the texts, and texts a second of a second run, which meets no shape for the first time."""
    sequences = backend.tokenize(texts, Role.PASSAGE)
    order = sorted(range(len(texts)), key=lambda text: len(sequences[text]))
    rows = np.empty((len(texts), backend.dimensions), dtype=np.float32)
    began = time.perf_counter()
    for _ in range(2):
        began = time.perf_counter()
        for part in _parts(order):
            rows[part] = backend.forward([sequences[text] for text in part])
    return rows, len(texts) / (time.perf_counter() - began)


def _parts(order: Sequence[int]) -> Iterator[list[int]]:
    for at in range(0, len(order), _BATCH):
        yield list(order[at : at + _BATCH])


def _store(ranges: Ranges, card: Mapping[Precision, object], folder: Path) -> Mapping[str, object]:
    quantising.save(ranges, folder)
    return {"cosine_to_fp32": card, "texts": TEXTS}


def _float32() -> Any:
    import torch

    return torch.float32
