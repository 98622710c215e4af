"""What models said of texts, kept from `prepare` until the events are seen."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

# Several partitions prepare at once.
_KEPT = 4_000


def forget(kept: dict[str, Any], needed: Collection[str]) -> None:
    """The oldest beyond `_KEPT` texts, save what is `needed` now."""
    for text in list(kept)[: max(0, len(kept) - _KEPT)]:
        if text not in needed:
            del kept[text]
