"""Which device, which number format, how many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapport.models.cpus import available_cpus
from rapport.ops.errors import ConfigurationError

if TYPE_CHECKING:
    import torch


def choose_device(wanted: str) -> torch.device:
    """`wanted` is auto, cpu, cuda or cuda:n; auto takes a CUDA device if there is one.

    Raises `ConfigurationError` when the CUDA device asked for is not there.
    """
    import torch

    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return torch.device("cuda:0" if there else "cpu")
    device = torch.device(wanted)
    if device.type == "cuda" and (device.index or 0) >= there:
        raise ConfigurationError(
            f"no such device: {wanted}; this machine has {there} CUDA devices",
            field="RAPPORT_WORKER__DEVICE",
            fix="set auto or cpu",
        )
    return device


def compute_dtype(device: torch.device) -> torch.dtype:
    """bf16 where the hardware multiplies it: half the memory, and 3 x the speed of float32 on such CPUs (measured on
    Zen 5; cosine of the vectors to float32's above 0.9999). Emulated, it would be slower than float32.
    """
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def set_threads(threads: int) -> None:
    """`threads` for each operation; 0: as many as the cgroup grants."""
    import torch

    torch.set_num_threads(threads or available_cpus())
