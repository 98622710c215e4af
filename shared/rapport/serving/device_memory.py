"""What a device can hold: telling "out of memory" from other failures, and a cap on what models may take together."""

from __future__ import annotations

from rapport.ops.errors import ModelError
from rapport.ops.metrics import gauge

_MB = 1 << 20
# torch has a type of its own for CUDA, and a plain RuntimeError for its CPU allocator; OpenVINO and ONNX Runtime too.
_TOLD = ("out of memory", "can't allocate memory", "failed to allocate", "bad_alloc")


def out_of_memory(error: BaseException) -> bool:
    """True when a smaller batch may succeed."""
    told = str(error).lower()
    return isinstance(error, MemoryError) or any(words in told for words in _TOLD)


class DeviceMemory:
    """Megabytes that the models on one device may take; each asks before it loads."""

    def __init__(self, cap_mb: int) -> None:
        """`cap_mb` 0: no cap."""
        self._cap = cap_mb
        self._taken: dict[str, int] = {}
        self._gauge = gauge("inference_model_memory_bytes", "Weights of each loaded model", ("model",))

    def reserve(self, name: str, size: int) -> None:
        """`size` bytes for `name`. Raises `ModelError` when the cap leaves less; nothing is reserved then."""
        left = self._cap * _MB - sum(self._taken.values())
        if self._cap and size > left:
            holders = ", ".join(f"{other} {taken // _MB} MB" for other, taken in self._taken.items()) or "nothing else"
            raise ModelError(
                f"{name} takes {size // _MB} MB; of {self._cap} MB {max(0, left) // _MB} are left ({holders})",
                field="RAPPORT_WORKER__MEMORY_MB",
                fix="raise it, or choose a smaller model",
            )
        self._taken[name] = size
        self._gauge.labels(name).set(size)

    def release(self, name: str) -> None:
        if self._taken.pop(name, None) is not None:
            self._gauge.labels(name).set(0)
