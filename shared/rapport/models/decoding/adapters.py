"""LoRA adapters: small changes to a model, loaded beside it and chosen by name for each text."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from rapport.models.folder import refuse_pickles
from rapport.models.quiet import quiet
from rapport.ops.errors import ModelError

_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"


class AdapterSwitch:
    """Puts one adapter, or none, in front of the next pass."""

    def __init__(self, network: Any, folders: Mapping[str, Path], dtype: torch.dtype) -> None:
        """Loads all. Raises `ModelError` naming the adapter that is not there, is pickled, or does not fit."""
        self.names = tuple(folders)
        self._network, self._active = network, ""
        for name, folder in folders.items():
            _check(name, folder)
            try:
                # peft warns of a second adapter, which is meant, and transformers of its own old words.
                with quiet(), warnings.catch_warnings(action="ignore"):
                    network.load_adapter(str(folder), adapter_name=name)
            except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
                raise ModelError(f"the adapter {name} in {folder} does not fit the model: {error}") from error
            _check_fit(name, folder, network)
        if folders:
            # Not the whole network: the frequencies of its positions must keep their precision.
            for part, weights in network.named_parameters():
                if ".lora_" in part:
                    weights.data = weights.data.to(dtype)
            network.eval()
            network.disable_adapters()

    def to(self, name: str) -> None:
        """The next pass uses adapter `name`; "" is the model as it is."""
        if name == self._active:
            return
        if not name:
            self._network.disable_adapters()
        else:
            self._network.enable_adapters()
            self._network.set_adapter(name)
        self._active = name


def _check(name: str, folder: Path) -> None:
    if not folder.is_dir():
        raise ModelError(f"no adapter {name}: looked for {folder}", fix="correct RAPPORT_MODELS__ADAPTERS")
    refuse_pickles(folder)
    missing = [file for file in (_CONFIG, _WEIGHTS) if not (folder / file).is_file()]
    if missing:
        raise ModelError(f"no adapter {name}: {folder} has no {missing[0]}")


def _check_fit(name: str, folder: Path, network: Any) -> None:
    """Weights that belong nowhere, and layers that got none, are passed over in silence by those who load them."""
    with safe_open(folder / _WEIGHTS, framework="pt") as file:
        held = {key.removeprefix("base_model.model.").replace(".weight", f".{name}.weight") for key in file.keys()}  # noqa: SIM118 - no dict
    wanted = {part for part, _ in network.named_parameters() if ".lora_" in part and f".{name}." in part}
    if held != wanted:
        odd = min(held ^ wanted)
        raise ModelError(f"the adapter {name} in {folder} does not fit the model: see {odd}")
