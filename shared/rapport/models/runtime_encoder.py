"""What encoders share whose network a runtime for CPUs runs: tokenizer, identity, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from rapport.models.cpus import available_cpus
from rapport.models.folder import identify, read_json
from rapport.models.ports import ModelId, Role
from rapport.models.text_ids import TextIds

Runtime = Literal["openvino", "onnxruntime"]
Precision = Literal["fp32", "bf16", "int8"]

# As for torch on a CPU: larger batches are no faster.
_BATCH_TOKENS = 2_048


class RuntimeEncoder:
    """An encoder without its `forward`."""

    def __init__(
        self, folder: Path, name: str, prefixes: Mapping[Role, str] | None, precision: Precision, threads: int
    ) -> None:
        """`threads` 0: as many as the cgroup grants. Raises `ModelError` for a folder without a tokenizer."""
        self._ids = TextIds(folder, prefixes)
        config = read_json(folder / "config.json")
        own = identify(folder, name)
        # int8 moves a vector by some thousandths: stored ones and new ones must not be mixed unnoticed.
        self.model = ModelId(own.id, f"{own.revision}-int8") if precision == "int8" else own
        self.dimensions, self.batch_tokens = int(config["hidden_size"]), _BATCH_TOKENS
        self._padding = int(config.get("pad_token_id") or 0)
        self._pooling = self._ids.embedding.pooling
        self._threads = threads or available_cpus()

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Ids of each text with its role's prefix and the model's marks, cut to the window."""
        return self._ids(texts, role)
