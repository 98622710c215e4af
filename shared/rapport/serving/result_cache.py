"""Rows that were computed lately: a shop embeds the same queries and titles again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from rapport.models.ports import Role, Rows
from rapport.ops.metrics import counter

# Characters of the longest text that is remembered: keys take memory too, and long texts seldom come twice.
_LONGEST = 512


class ResultCache:
    """The last `rows` rows of one model revision, by role and text; the least lately used goes first.

    One cache belongs to one loaded revision and is dropped with it, so no row outlives its model.
    """

    def __init__(self, model: str, rows: int) -> None:
        """`rows` 0: nothing is remembered. 20,000 rows of 384 dimensions take some 40 MB."""
        self._most = rows
        self._rows: OrderedDict[tuple[Role, str], Rows] = OrderedDict()
        looked_up = counter("inference_cache_lookups", "Texts looked for in the result cache", ("model", "outcome"))
        self._hits, self._misses = looked_up.labels(model, "hit"), looked_up.labels(model, "miss")

    def find(self, texts: Sequence[str], role: Role) -> list[Rows | None]:
        """The row of each text, [dimensions], read-only; None where it must be computed."""
        if not self._most:
            return [None] * len(texts)
        found = [self._rows.get((role, text)) for text in texts]
        for text, row in zip(texts, found, strict=True):
            if row is not None:
                self._rows.move_to_end((role, text))
        hits = sum(row is not None for row in found)
        self._hits.inc(hits)
        self._misses.inc(len(texts) - hits)
        return found

    def keep(self, texts: Sequence[str], role: Role, rows: Rows) -> None:
        """Remembers a copy of each row, so that a large answer is not held by a view of one row."""
        if not self._most:
            return
        for text, row in zip(texts, rows, strict=True):
            if len(text) <= _LONGEST:
                self._rows[role, text] = np.array(row)
        while len(self._rows) > self._most:
            self._rows.popitem(last=False)
