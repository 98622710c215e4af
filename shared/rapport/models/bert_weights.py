"""A BERT or XLM-R out of a model folder, for the runtimes that get its graph from us."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rapport.models.folder import read_json
from rapport.models.ports import Rows
from rapport.ops.errors import ModelError

_FAMILIES = ("bert", "roberta", "xlm-roberta")


class BertWeights:
    """Weights float32 by their names in `transformers.BertModel`, and the figures of the architecture."""

    def __init__(self, folder: Path) -> None:
        """Raises `ModelError` for another architecture."""
        config = read_json(folder / "config.json")
        kind = str(config.get("model_type"))
        if kind not in _FAMILIES or config.get("hidden_act", "gelu") != "gelu":
            raise ModelError(
                f"only {', '.join(_FAMILIES)} can be converted for this runtime, not {kind}",
                field="RAPPORT_MODELS__RUNTIME",
                fix="set torch",
            )
        self.layers, self.heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
        self.width, self.epsilon = int(config["hidden_size"]), float(config["layer_norm_eps"])
        self.padding = int(config.get("pad_token_id") or 0)
        self.first_position = self.padding + 1 if "roberta" in kind else 0
        self._held = _read(folder)

    def __getitem__(self, name: str) -> Rows:
        if name not in self._held:
            raise ModelError(f"the weights lack {name}")
        return self._held[name]

    def product(self, names: Sequence[str]) -> tuple[Rows, Rows]:
        """W [out, in] and b [out] of one product, or of several on the same input as one."""
        weights, biases = ([self[f"{name}.{part}"] for name in names] for part in ("weight", "bias"))
        return np.concatenate(weights), np.concatenate(biases)


def _read(folder: Path) -> dict[str, Rows]:
    """float32 by name, without the family's prefix."""
    import torch
    from safetensors.torch import load_file

    found: dict[str, Rows] = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, tensor in load_file(file).items():
            short = name.removeprefix("bert.").removeprefix("roberta.")
            found[short] = np.asarray(tensor.to(torch.float32).numpy(), dtype=np.float32)
    return found
