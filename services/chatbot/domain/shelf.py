"""All passages of one tenant's articles, and how well each fits a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rapport.events.knowledge import ArticleUpserted
from services.chatbot.domain.background import Background
from services.chatbot.domain.extraction import in_context, sentences_to_weigh
from services.chatbot.domain.lexical import Lexicon
from services.chatbot.domain.passages import Passage, content_key, passages
from services.chatbot.domain.words import content_words

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Question:
    """`vector` None: the encoder gave nothing, and only words are compared."""

    text: str
    language: str
    """Base language of the text."""
    vector: Float32 | None = None
    space: str = ""
    """id@revision of the encoder that gave the vector."""
    before: Question | None = None
    """The question that stands at its beginning, where it was joined to one."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a passage fits: cosines above those of unrelated passages, in units of their spread, and the lexical share.

    In these units encoders compare: E5's cosines lie between 0.75 and 0.9, others' around 0.
    """

    passage: Passage
    answer: float
    """sim(q, a): the passage's text."""
    reference: float
    """sim(q, r): its title and heading."""
    lexical: float
    """0 to 1."""


class Shelf:
    """Articles come and go; vectors follow when the encoder has time.

    Scores every passage at each question rather than asking an approximate index: centring needs the background, and a
    help centre has some thousand passages, which take a millisecond.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self._of_article: dict[str, list[str]] = {}
        self._passages: dict[str, Passage] = {}
        self._texts_of: dict[str, dict[str, str]] = {}
        """By passage: what needs a vector, by content key."""
        self._lexicon = Lexicon()
        self.space = ""
        """id@revision of the encoder of the vectors held."""
        self._vectors: dict[str, Float32] = {}
        self._table: _Table | None = None

    def __len__(self) -> int:
        return len(self._of_article)

    def put(self, article: ArticleUpserted) -> None:
        """Adds or replaces an article; it is found by its words at once."""
        self.withdraw(article.article_id)
        for number, passage in enumerate(passages(article)):
            id_ = f"{article.article_id}#{number}"
            self._of_article.setdefault(article.article_id, []).append(id_)
            self._passages[id_] = passage
            self._texts_of[id_] = _by_key([*_sides(passage), *in_context(passage, sentences_to_weigh(passage))])
            self._lexicon.put(id_, content_words(f"{passage.reference}\n{passage.text}"))
        self._table = None

    def withdraw(self, article_id: str) -> None:
        """Never quoted again from now on; an unknown id is left unmentioned."""
        for id_ in self._of_article.pop(article_id, ()):
            del self._passages[id_], self._texts_of[id_]
            self._lexicon.remove(id_)
        self._table = None

    def lacking(self, space: str) -> dict[str, str]:
        """Texts without a vector of the encoder `space`, by content key. They are embedded as passages."""
        known = self._vectors if space == self.space else {}
        return {key: text for key, text in self._texts().items() if key not in known}

    def learn(self, space: str, vectors: Mapping[str, Float32]) -> None:
        """Unit vectors by content key. Those of another encoder are forgotten: they must never be compared."""
        if space != self.space:
            self.space, self._vectors = space, {}
        used = self._texts().keys()
        self._vectors = {key: vector for key, vector in (self._vectors | dict(vectors)).items() if key in used}
        self._table = None

    def fits(self, question: Question) -> list[Fit]:
        """Every passage, in no order."""
        lexical = self._lexicon.scores(content_words(question.text))
        if question.vector is None or question.space != self.space:
            return [Fit(passage, 0.0, 0.0, lexical.get(id_, 0.0)) for id_, passage in self._passages.items()]
        centred = self._rows().centred(question.vector)
        return [
            Fit(passage, float(centred[row, 0]), float(centred[row, 1]), lexical.get(id_, 0.0))
            for row, (id_, passage) in enumerate(self._passages.items())
        ]

    def sentence_cosines(self, question: Question, passage: Passage) -> list[float] | None:
        """Of the question to each of the passage's `sentences_to_weigh`; None where vectors are not there yet."""
        keys = [content_key(text) for text in in_context(passage, sentences_to_weigh(passage))]
        if question.vector is None or question.space != self.space or any(key not in self._vectors for key in keys):
            return None
        return [float(self._vectors[key] @ question.vector) for key in keys]

    def spread(self) -> float | None:
        """Standard deviation of unrelated texts' cosines, the unit of `Fit`; None before anything is embedded."""
        return self._rows().spread if self._vectors else None

    def _rows(self) -> _Table:
        if self._table is None:
            self._table = _Table(self._passages.values(), self._vectors, self._background)
        return self._table

    def _texts(self) -> dict[str, str]:
        """Everything that needs a vector. Sentences as well: an answer then takes one call to the encoder, not two."""
        texts = _by_key(self._background.all())
        for of_passage in self._texts_of.values():
            texts |= of_passage
        return texts


class _Table:
    """The vectors of all passages, [passages, 2, d], rows in the order given; NaN where there is none yet."""

    def __init__(self, passages: Iterable[Passage], vectors: Mapping[str, Float32], background: Background) -> None:
        listed = list(passages)
        size = len(next(iter(vectors.values())))
        nothing = np.full(size, np.nan, np.float32)
        pairs = [[vectors.get(content_key(text), nothing) for text in _sides(passage)] for passage in listed]
        self._vectors = np.array(pairs, np.float32).reshape(len(pairs), 2, size)
        unrelated = {language: _stack(background.of(language), vectors) for language in background.languages()}
        self.spread = float(np.std(np.concatenate([_between(rows) for rows in unrelated.values()])))
        self._languages = [
            (
                np.array([passage.language == language for passage in listed], bool),
                _stack(background.of(language), vectors).mean(axis=0),
            )
            for language in sorted({passage.language for passage in listed})
        ]

    def centred(self, query: Float32) -> Float32:
        """[passages, 2]: cosines to the query less its mean cosine to the language's background, over the spread."""
        cosines: Float32 = self._vectors @ query
        for rows, mean in self._languages:
            cosines[rows] -= float(mean @ query)
        cosines /= self.spread
        return np.nan_to_num(cosines, nan=0.0)


def _stack(texts: Iterable[str], vectors: Mapping[str, Float32]) -> Float32:
    rows: Float32 = np.stack([vectors[content_key(text)] for text in texts])
    return rows


def _between(rows: Float32) -> Float32:
    """Cosines of all pairs of different rows."""
    cosines: Float32 = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    return cosines


def _sides(passage: Passage) -> tuple[str, str]:
    return passage.text, passage.reference


def _by_key(texts: Iterable[str]) -> dict[str, str]:
    return {content_key(text): text for text in texts}
