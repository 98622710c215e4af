"""Emerging topics: clusters of what people search, write and say, by embedding, and which of them grow.

A text joins the nearest topic (centred cosine of at least `_SAME`), else begins one: leader clustering (Hartigan 1975),
one pass, as texts come. A topic is known by the text nearest to its centre, and called by the words that set it apart
(`naming`) until a language model has a better name for it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from rapport.text.tokens import tokens
from services.profiler.domain.background import Background, Vector
from services.profiler.insights.buckets import HOUR_MS, Buckets
from services.profiler.insights.finding import SURE, Finding, Windows, rate_differs
from services.profiler.insights.naming import KIND, name_of, telling_words

# Centred cosine from which two texts are about the same.
_SAME = 0.5
_MOST_TOPICS, _MOST_TEXTS = 2_000, 12
_SHOWN = 5
_LEAST, _LEAST_PEOPLE, _GROWTH = 8, 5, 2.0
# With less of the present talk than this in the time before, the shop has just opened: everything would be new.
_OPENED = 0.1


@dataclass(slots=True)
class _Topic:
    number: int
    centre: Vector
    count: int
    texts: OrderedDict[str, Vector]
    """The newest different ones."""

    @property
    def label(self) -> str:
        return max(self.texts, key=lambda text: (float(self.texts[text] @ self.centre), text))


class Topics:
    """Vectors are centred by `Background`, so an encoder that changes makes all topics begin anew."""

    def __init__(self) -> None:
        self._topics: list[_Topic] = []
        self._made = 0
        self._counts: Buckets[int] = Buckets()
        self._people: Buckets[tuple[int, str]] = Buckets()
        self.encoder = ""

    def begin(self, encoder: str) -> None:
        """Vectors come from `encoder` from now on."""
        if encoder != self.encoder:
            self.encoder, self._topics = encoder, []

    def hear(self, text: str, vector: Vector, background: Background, who: str, at: int, event_id: str) -> None:
        """`vector` [d], unit length."""
        centred = vector - background.products
        centred = centred / np.linalg.norm(centred)
        topic = self._nearest(centred)
        if topic is None:
            topic = self._begin(centred)
        step = np.float32(1 / (topic.count + 1))
        topic.centre = topic.centre + step * (centred - topic.centre)
        topic.centre /= np.linalg.norm(topic.centre)
        topic.count += 1
        topic.texts[text] = centred
        if len(topic.texts) > _MOST_TEXTS:
            topic.texts.popitem(last=False)
        self._counts.add(topic.number, at, event_id)
        self._people.add((topic.number, who), at)

    def forget(self, before: int) -> None:
        self._counts.forget(before)
        self._people.forget(before)

    def findings(self, windows: Windows) -> Iterator[Finding]:
        first = self._counts.first()
        # Without history everything would be new.
        if first is None or windows.start - max(first, windows.before) < windows.recent_ms:
            return
        now = self._counts.totals(windows.start, windows.until)
        before = self._counts.totals(windows.before, windows.start)
        hours, hours_before = windows.recent_ms / HOUR_MS, (windows.start - max(first, windows.before)) / HOUR_MS
        if before.total() / hours_before * hours < _OPENED * now.total():
            return
        people = Counter(number for number, _ in self._people.totals(windows.start, windows.until))
        said = cache(self._words)
        for topic in self._topics:
            count, usual = now[topic.number], before[topic.number] / hours_before * hours
            sure = rate_differs(count, hours, before[topic.number], hours_before)
            if count < max(_LEAST, _GROWTH * usual) or people[topic.number] < _LEAST_PEOPLE or sure < SURE:
                continue
            telling = telling_words(list(topic.texts), said(), len(self._topics))
            yield self._finding(topic, telling, count, usual, people[topic.number], sure, windows)

    def _finding(
        self,
        topic: _Topic,
        telling: Sequence[str],
        count: int,
        usual: float,
        people: int,
        sure: float,
        windows: Windows,
    ) -> Finding:
        texts: Sequence[str] = list(topic.texts)
        name = name_of(telling, texts) or topic.label
        then = f"{usual:.0f} would be usual" if usual >= 0.5 else "nobody did before"
        return Finding(
            KIND,
            f"topic:{topic.label}"[:200],
            f"{people} people spoke of “{name}” {count} times; {then}.",
            count,
            sure,
            windows.start,
            windows.now,
            self._counts.evidence(topic.number),
            {
                "texts": texts[-_SHOWN:],
                "words": telling,
                "name": name,
                "named_by": "words",
                "people": people,
                "usual": round(usual, 1),
                "unit": "texts",
            },
            1,
        )

    def _words(self) -> Counter[str]:
        """Of all topics, and how often they are said in what is kept of them."""
        return Counter(word for topic in self._topics for text in topic.texts for word in tokens(text))

    def _nearest(self, vector: Vector) -> _Topic | None:
        if not self._topics:
            return None
        cosines = np.stack([topic.centre for topic in self._topics]) @ vector
        best = int(cosines.argmax())
        return self._topics[best] if cosines[best] >= _SAME else None

    def _begin(self, vector: Vector) -> _Topic:
        self._made += 1
        topic = _Topic(self._made, vector.copy(), 0, OrderedDict())
        self._topics.append(topic)
        if len(self._topics) > _MOST_TOPICS:
            self._topics.remove(min(self._topics, key=lambda each: (each.count, each.number)))
        return topic
