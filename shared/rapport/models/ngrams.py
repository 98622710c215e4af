"""Texts as counts of their character n-grams, by hash: no vocabulary to keep, and none to be out of.

Runs of one to four characters within words tell Chinese and English alike what a text is about; words that nobody
wrote before share some with words that somebody did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rapport.models.ports import Rows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# Changing any of these makes all stored weights meaningless.
_LONGEST = 4
_BUCKETS = 1 << 20
# What a single text has says nothing of others.
_LEAST_TEXTS = 2


@dataclass(frozen=True, slots=True)
class Ngrams:
    """Those that the examples had. `buckets` int32 [n], sorted; `rarity` float32 [n]: how much each one counts."""

    buckets: npt.NDArray[np.int32]
    rarity: Rows

    @classmethod
    def of(cls, texts: Sequence[str]) -> Ngrams:
        """Of the examples, what at least two have. Rarity is the smoothed log(texts / texts that have it) + 1."""
        counts = _counts(texts)
        having = np.bincount(counts.indices, minlength=_BUCKETS)
        buckets = np.flatnonzero(having >= _LEAST_TEXTS)
        rarity = np.log((1 + len(texts)) / (1 + having[buckets])) + 1
        return cls(buckets.astype(np.int32), rarity.astype(np.float32))

    def rows(self, texts: Sequence[str]) -> csr_matrix:
        """float32 [texts, n]: (1 + log count) · rarity, rows of length 1; a row of nothing known is zero."""
        from sklearn.preprocessing import normalize

        found = _counts(texts)[:, self.buckets]
        found.data = (1 + np.log(found.data)).astype(np.float32)
        found = found.multiply(self.rarity).tocsr()
        return normalize(found, copy=False)


def _counts(texts: Sequence[str]) -> csr_matrix:
    """[texts, _BUCKETS]."""
    return _vectorizer().transform(texts)


@cache
def _vectorizer() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(1, _LONGEST),
        n_features=_BUCKETS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )
