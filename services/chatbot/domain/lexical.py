"""BM25 over a collection that changes while it is searched.

Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and Beyond". The packaged ones (bm25s,
rank-bm25) index a finished collection once; here an article comes or goes at any time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

# The usual saturation and length normalisation; passages differ little in length, so neither is sensitive.
_K1, _B = 1.2, 0.75


class Lexicon:
    """Which tokens each document has."""

    def __init__(self) -> None:
        self._documents: dict[str, Counter[str]] = {}
        self._postings: dict[str, set[str]] = {}
        self._lengths = 0

    def put(self, id_: str, tokens: Iterable[str]) -> None:
        """Adds or replaces a document."""
        self.remove(id_)
        counts = Counter(tokens)
        self._documents[id_] = counts
        self._lengths += counts.total()
        for token in counts:
            self._postings.setdefault(token, set()).add(id_)

    def remove(self, id_: str) -> None:
        counts = self._documents.pop(id_, None)
        if counts is None:
            return
        self._lengths -= counts.total()
        for token in counts:
            holders = self._postings[token]
            holders.discard(id_)
            if not holders:
                del self._postings[token]

    def scores(self, query: Iterable[str]) -> dict[str, float]:
        """Documents that share a token with the query, 0 to 1: BM25 over the most that any document could reach.

        So the score is the share of the query's information that a document holds, and compares between queries. A
        token that no document has counts in the whole: a question about something unheard-of stays low everywhere.
        """
        wanted = set(query)
        weights = {token: self._weight(token) for token in wanted}
        whole = (_K1 + 1) * sum(weights.values())
        found: dict[str, float] = {}
        mean = self._lengths / len(self._documents) if self._documents else 0.0
        for token, weight in weights.items():
            for id_ in self._postings.get(token, ()):
                counts = self._documents[id_]
                saturation = counts[token] + _K1 * (1 - _B + _B * counts.total() / mean)
                found[id_] = found.get(id_, 0.0) + weight * counts[token] * (_K1 + 1) / saturation / whole
        return found

    def _weight(self, token: str) -> float:
        """Inverse document frequency, never negative (Lucene's form)."""
        holders = len(self._postings.get(token, ()))
        return math.log1p((len(self._documents) - holders + 0.5) / (holders + 0.5))
