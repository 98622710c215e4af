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
from rapport.models.openvino_encoder import OpenVinoEncoder
from rapport.models.ports import Role, Rows, SequenceBackend
from rapport.models.prepared import prepared
from rapport.models.quantising import InputRange, Ranges
from rapport.models.runtime_encoder import Precision, Runtime
from rapport.models.sets import Choice
from rapport.models.torch_encoder import TorchEncoder
from rapport.ops.errors import ModelError

TEXTS = 1000
"""Texts on which vectors are compared."""
LEAST_COSINE: Mapping[Precision, float] = {"fp32": 0.999, "bf16": 0.999, "int8": 0.995}
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
    choice: Choice,
    folder: Path,
    cache: Path,
    texts: Sequence[str],
    threads: int,
    progress: Callable[[str], None],
    runtime: Runtime = "openvino",
) -> Mapping[Precision, Compared]:
    """Calibrates on some of `texts`, compares on all of them, and stores what `runtime` needs if all is near enough.

    Raises `ModelError` with the figures when it is not; what was stored before stays then.
    """
    exact = TorchEncoder(folder, choice.name, choice.prefixes, "cpu", threads, _float32())
    wanted, base = _run(exact, texts)
    progress(f"torch fp32: {base:.0f} texts/s")
    ranges = calibrate(exact, texts[:: max(1, len(texts) // _CALIBRATED_ON)][:_CALIBRATED_ON])
    found: dict[Precision, Compared] = {}

    def build(aside: Path) -> Mapping[str, object]:
        quantising.save(ranges, aside)
        for precision, backend in _candidates(runtime, choice, folder, threads, ranges, aside):
            found[precision] = each = _compared(backend, texts, wanted)
            progress(
                f"{runtime} {precision}: {each.texts_a_second:.0f} texts/s, "
                f"cosine to fp32 {each.mean:.5f}, worst {each.worst:.5f}"
            )
            if each.worst < LEAST_COSINE[precision]:
                raise ModelError(
                    f"{precision} of {exact.model} comes no nearer to float32 than {each.worst:.4f}",
                    fix=f"at least {LEAST_COSINE[precision]} is needed; keep serving it without",
                )
        card = {precision: {"worst": each.worst, "mean": each.mean} for precision, each in found.items()}
        return {"cosine_to_fp32": card, "texts": len(texts)}

    made_from = f"{exact.model} {time.time_ns()}"  # a new calibration always replaces the one before
    prepared(optimised.folder_of(cache, exact.model, runtime), str(exact.model), made_from, build)
    return found


def _candidates(
    runtime: Runtime, choice: Choice, folder: Path, threads: int, ranges: Ranges, aside: Path
) -> Iterator[tuple[Precision, SequenceBackend]]:
    """What could serve by `runtime`, one after the other; its files, where it needs some, are written into `aside`."""
    if runtime == "openvino":
        yield "bf16", OpenVinoEncoder(folder, choice.name, choice.prefixes, "bf16", threads)
        yield "int8", OpenVinoEncoder(folder, choice.name, choice.prefixes, "int8", threads, ranges)
        return
    from rapport.models.onnx_encoder import OnnxEncoder
    from rapport.models.onnx_export import export

    export(folder, ranges, aside)
    precisions: tuple[Precision, ...] = ("fp32", "int8")
    for precision in precisions:
        yield precision, OnnxEncoder(folder, choice.name, choice.prefixes, precision, threads, aside)


def _compared(backend: SequenceBackend, texts: Sequence[str], wanted: Rows) -> Compared:
    rows, speed = _run(backend, texts)
    cosines = (rows * wanted).sum(axis=1)
    return Compared(float(cosines.min()), float(cosines.mean()), speed)


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


def _float32() -> Any:
    import torch

    return torch.float32
