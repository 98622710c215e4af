"""A GGUF file, de-quantised once into a model folder: reading it takes a quarter of a minute, the folder a second."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapport.models.folder import file_digest
from rapport.models.quiet import quiet
from rapport.ops.errors import ModelError

if TYPE_CHECKING:
    import torch

# Raised when this module writes something else than before from the same file.
_CONVERTER = 2


def made_from(file: Path) -> str:
    """The file by name and content, converted how."""
    return f"{file.name} {file_digest(file)}, converter {_CONVERTER}"


def build(file: Path, folder: Path) -> Mapping[str, object]:
    """Writes configuration, bf16 weights, tokenizer and chat template into `folder`.

    Raises `ModelError` when the file is no GGUF of a kind that transformers can read.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    with quiet():
        try:
            config = AutoConfig.from_pretrained(file.parent, gguf_file=file.name)
            models: Any = AutoModelForCausalLM  # untyped
            with torch.device("meta"):
                skeleton = models.from_config(config)
            tensors = _tensors(file, skeleton)
            tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        except (ValueError, KeyError, OSError, RuntimeError) as error:
            raise ModelError(f"{file} cannot be read as GGUF: {error}") from error
        # A GGUF file does not name the class; vLLM, text-generation-inference and others choose the model by it.
        config.architectures = [type(skeleton).__name__]
        config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return {"weights": "de-quantised to bf16"}


def _tensors(file: Path, skeleton: Any) -> dict[str, torch.Tensor]:
    """The weights in bf16, by the names that transformers gives them in `skeleton`."""
    import torch
    from transformers import modeling_gguf_pytorch_utils

    # `from_pretrained` does the same, but refuses to without a further library (accelerate) that it hardly uses.
    load: Any = modeling_gguf_pytorch_utils.load_gguf_checkpoint
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar knows no switch
        read = load(str(file), return_tensors=True, model_to_load=skeleton, torch_dtype=torch.bfloat16)
    return {name: tensor.contiguous() for name, tensor in read["tensors"].items()}
