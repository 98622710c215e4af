"""The product's extraction on `xquad-en-zh`: exact match and F1 of what is quoted, and whether it holds the answer.

    python -m tests.bench.chatbot_knowledge.extraction [--data ../shared/data] [--most N]

The paragraph is given, as an article under its title; the encoder is that of the settings. What is quoted are whole
sentences with their place in the article, made to be read; the set's answers are mostly names and numbers, so F1 and
exact match are low by design. "Holds": an answer stands in the quotation. Normalised as SQuAD does (lower case, without
punctuation and English articles); Chinese is compared character by character, as in MLQA (Lewis et al. 2020).
"""

from __future__ import annotations

import argparse
import json
import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport.events.knowledge import ArticleUpserted
from rapport.models.ports import Role, SequenceBackend
from rapport.ops.settings import Settings
from rapport.serving.loading import load_encoder
from services.chatbot.domain.extraction import in_context, quote, relevance, sentences_to_weigh
from services.chatbot.domain.passages import Passage, passages
from tests.bench.chatbot_knowledge.retrieval import embed

_PUNCTUATION = set(string.punctuation) | set("，。！？；：“”‘’（）《》、·—")


@dataclass(frozen=True, slots=True)
class Asked:
    passage: Passage
    question: str
    answers: Sequence[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--most", type=int, default=0, help="questions of each language; 0: all 1,190")
    told = parser.parse_args()
    encoder = load_encoder(Settings(), ()).backend
    print(f"{encoder.model}\n{'':<4}{'questions':>10}{'EM':>8}{'F1':>8}{'holds':>8}{'of paragraph':>14}")
    for language in ("en", "zh"):
        file = told.data / "xquad-en-zh" / f"xquad.{language}.json"
        if not file.is_file():
            parser.exit(1, f"{file} is not there: give the folder of the data sets with --data\n")
        asked = list(read(file, language))[: told.most or None]
        quoted = [*quotations(asked, encoder)]
        marks = [score(text, one.answers, language) for one, text in zip(asked, quoted, strict=True)]
        exact, f1, holds = (sum(column) / len(marks) for column in zip(*marks, strict=True))
        share = sum(len(text) / len(one.passage.text) for one, text in zip(asked, quoted, strict=True)) / len(asked)
        print(f"{language:<4}{len(asked):>10}{exact:>8.3f}{f1:>8.3f}{holds:>8.3f}{share:>14.2f}")


def read(file: Path, language: str) -> Iterator[Asked]:
    for number, entry in enumerate(json.loads(file.read_text(encoding="utf-8"))["data"]):
        for place, told in enumerate(entry["paragraphs"]):
            title = entry["title"].replace("_", " ")
            body = told["context"].replace("\n", " ")
            article = ArticleUpserted(article_id=f"{number}-{place}", language=language, title=title, body=body)
            [passage] = passages(article)
            for one in told["qas"]:
                yield Asked(passage, one["question"], [answer["text"] for answer in one["answers"]])


def quotations(asked: Sequence[Asked], encoder: SequenceBackend) -> Iterator[str]:
    questions = embed([one.question for one in asked], Role.QUERY, encoder)
    of = {one.passage.article_id: one.passage for one in asked}
    sentences = {id_: sentences_to_weigh(passage) for id_, passage in of.items()}
    texts = {text: None for id_, passage in of.items() for text in in_context(passage, sentences[id_])}
    vectors = dict(zip(texts, embed(list(texts), Role.PASSAGE, encoder), strict=True))
    for one, question in zip(asked, questions, strict=True):
        weighed = sentences[one.passage.article_id]
        cosines = [float(vectors[text] @ question) for text in in_context(one.passage, weighed)]
        yield quote(one.passage, weighed, relevance(one.question, weighed, cosines)).text


def score(text: str, answers: Sequence[str], language: str) -> tuple[float, float, float]:
    """Exact match, F1, and whether `text` holds an answer: the best over the `answers`."""
    said = units(text, language)
    wanted = [units(answer, language) for answer in answers]
    holds = max(float("\x1f".join(one) in "\x1f".join(said)) for one in wanted)
    return max(float(one == said) for one in wanted), max(f1(said, one) for one in wanted), holds


def f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    common = sum((Counter(said) & Counter(wanted)).values())
    return 2 * common / (len(said) + len(wanted)) if common else 0.0


def units(text: str, language: str) -> list[str]:
    plain = "".join(letter for letter in text.lower() if letter not in _PUNCTUATION)
    if language == "zh":
        return [letter for letter in plain if not letter.isspace()]
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


if __name__ == "__main__":
    main()
