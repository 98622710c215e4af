"""Linear layers whose weights oneDNN has put in the order that its code reads: for few tokens about twice as fast.

And a row's result is then bit for bit the same whatever other rows are computed with it, which torch's own product does
not promise: a text must not depend on who else is served (tests/integration/serving/test_decoder.py).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

# The number of rows that oneDNN is told to expect; it decides the order once, the same code then serves any number.
_ROWS = 16


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """True where it was measured to be worth it: bf16 on a CPU that multiplies it."""
    backends: Any = torch.backends  # untyped
    return device.type == "cpu" and dtype is torch.bfloat16 and bool(backends.mkldnn.is_available())


def pack(network: nn.Module) -> None:
    """Replaces every linear layer of `network`, for inference only."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, PackedLinear(child))


class PackedLinear(nn.Module):
    """x Wᵀ + b."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        operations: Any = torch.ops.mkldnn
        with torch.inference_mode():
            self._weight: torch.Tensor = operations._reorder_linear_weight(linear.weight.detach(), _ROWS)  # noqa: SLF001 - torch's compiler calls it; it has no other name
        self._bias = None if linear.bias is None else linear.bias.detach()
        self._multiply: Any = operations._linear_pointwise  # noqa: SLF001 - the same
        self.in_features, self.out_features = linear.in_features, linear.out_features
        # Adapters around this layer ask for its number format.
        self.weight = torch.empty(0, dtype=linear.weight.dtype)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """[..., in] to [..., out]."""
        if rows.numel() == self.in_features:
            # For one row oneDNN has code of its own that rounds otherwise; two rows take as long as one.
            return self.forward(rows.expand(2, *rows.shape[1:]))[:1]
        result: torch.Tensor = self._multiply(rows, self._weight, self._bias, "none", [], "")
        return result
