"""Opening an encoder's folder with the runtime that the settings choose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rapport.models import optimised
from rapport.models.folder import identify
from rapport.models.ports import SequenceBackend
from rapport.models.runtime_encoder import Precision, Runtime
from rapport.models.sets import Choice
from rapport.ops.errors import ConfigurationError
from rapport.ops.settings import ModelSettings, WorkerSettings

# Where nothing says that int8 is near enough.
_DEFAULT: Mapping[Runtime, Precision] = {"openvino": "bf16", "onnxruntime": "fp32"}


def open_encoder(folder: Path, choice: Choice, models: ModelSettings, worker: WorkerSettings) -> SequenceBackend:
    """Loads; takes a second for a small model.

    Raises `ModelError` when the folder lacks something or holds another kind of model, `ConfigurationError` for a
    runtime and precision that do not go together.
    """
    from rapport.models.torch_device import choose_device

    model = identify(folder, choice.name)
    runtime, precision = models.runtime, models.precision
    on_cpu = choose_device(worker.device).type == "cpu"
    if runtime == "auto":
        ready = on_cpu and optimised.is_ready(models.cache, model)
        runtime = "openvino" if ready and precision in ("auto", "int8") else "torch"
    if runtime == "torch":
        return _torch(folder, choice, models, worker)
    if not on_cpu:
        raise ConfigurationError(
            f"{runtime} runs on CPUs here",
            field="RAPPORT_MODELS__RUNTIME",
            fix="set torch, or RAPPORT_WORKER__DEVICE=cpu",
        )
    if precision == "auto":
        precision = "int8" if optimised.is_ready(models.cache, model, runtime) else _DEFAULT[runtime]
    if runtime == "openvino":
        from rapport.models.openvino_encoder import OpenVinoEncoder

        ranges = optimised.ranges(models.cache, model) if precision == "int8" else None
        return OpenVinoEncoder(folder, choice.name, choice.prefixes, precision, worker.threads, ranges)
    from rapport.models.onnx_encoder import OnnxEncoder

    exported = optimised.folder_of(models.cache, model, runtime)
    return OnnxEncoder(folder, choice.name, choice.prefixes, precision, worker.threads, exported)


def _torch(folder: Path, choice: Choice, models: ModelSettings, worker: WorkerSettings) -> SequenceBackend:
    import torch

    from rapport.models.torch_encoder import TorchEncoder

    if models.precision == "int8":
        raise ConfigurationError(
            "int8 is for openvino and onnxruntime",
            field="RAPPORT_MODELS__PRECISION",
            fix="run `./rapport models optimise`, then set RAPPORT_MODELS__RUNTIME=openvino",
        )
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}.get(models.precision)
    return TorchEncoder(folder, choice.name, choice.prefixes, worker.device, worker.threads, dtype)
