"""The product's extraction on `xquad-en-zh`: exact match and F1 of what is quoted, and of the words pointed at in it.

    python -m tests.bench.chatbot_knowledge.extraction [--data ../shared/data] [--most N] [--half 0 --answers FOLDER]

The paragraph is given, as an article under its title; the encoder is that of the settings. What is quoted are whole
sentences with their place in the article, made to be read. "Holds": an answer stands in the quotation. `--answers`: a
version of `chatbot-answers`, whose words are scored beside the sentences; `--half`: only the articles that
`tests.bench.chatbot_knowledge.folds` keeps for the test of that version. Scored as SQuAD and MLQA do
(`services/chatbot/training/span_scores.py`); the best span is always taken, however sure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport.events.knowledge import ArticleUpserted
from rapport.models.ports import Role, SequenceBackend
from rapport.models.torch_reader import TorchReader
from rapport.models.tuning.answers import read as point
from rapport.ops.settings import Settings
from rapport.serving.loading import load_encoder
from rapport.text.sentences import Sentence
from services.chatbot.domain.extraction import in_context, quote, relevance, sentences_to_weigh
from services.chatbot.domain.passages import Passage, passages
from services.chatbot.training.span_scores import score, units
from tests.bench.chatbot_knowledge.folds import part
from tests.bench.chatbot_knowledge.retrieval import embed


@dataclass(frozen=True, slots=True)
class Asked:
    passage: Passage
    question: str
    answers: Sequence[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--most", type=int, default=0, help="questions of each language; 0: all 1,190")
    parser.add_argument("--half", type=int, choices=[0, 1])
    parser.add_argument("--answers", type=Path)
    told = parser.parse_args()
    encoder = load_encoder(Settings(), ()).backend
    reader = TorchReader.open(told.answers, "answers", "cpu", 0) if told.answers else None
    print(f"{encoder.model}\n{'':<14}{'questions':>10}{'EM':>8}{'F1':>8}{'holds':>8}{'of paragraph':>14}")
    for language in ("en", "zh"):
        file = told.data / "xquad-en-zh" / f"xquad.{language}.json"
        if not file.is_file():
            parser.exit(1, f"{file} is not there: give the folder of the data sets with --data\n")
        asked = list(read(file, language, told.half))[: told.most or None]
        quoted = weighed(asked, encoder)
        texts = [quote(one.passage, *each).text for one, each in zip(asked, quoted, strict=True)]
        _report(f"{language} sentences", asked, texts, language)
        if reader is not None:
            found = point(reader, [(one.question, one.passage.text) for one in asked])
            held = [(span.start, span.end) if span else (0, 0) for span in found]
            words = [one.passage.text[slice(*place)] for one, place in zip(asked, held, strict=True)]
            _report(f"{language} words", asked, words, language)


def _report(name: str, asked: Sequence[Asked], said: Sequence[str], language: str) -> None:
    marks = [
        (*score(text, one.answers, language), holds(text, one.answers, language), len(text) / len(one.passage.text))
        for one, text in zip(asked, said, strict=True)
    ]
    exact, f1, held, share = (sum(column) / len(marks) for column in zip(*marks, strict=True))
    print(f"{name:<14}{len(asked):>10}{exact:>8.3f}{f1:>8.3f}{held:>8.3f}{share:>14.2f}", flush=True)


def read(file: Path, language: str, half: int | None) -> Iterator[Asked]:
    for number, entry in enumerate(json.loads(file.read_text(encoding="utf-8"))["data"]):
        if half is not None and part(number, half) != "test":
            continue
        for place, told in enumerate(entry["paragraphs"]):
            title = entry["title"].replace("_", " ")
            body = told["context"].replace("\n", " ")
            article = ArticleUpserted(article_id=f"{number}-{place}", language=language, title=title, body=body)
            [passage] = passages(article)
            for one in told["qas"]:
                yield Asked(passage, one["question"], [answer["text"] for answer in one["answers"]])


def weighed(asked: Sequence[Asked], encoder: SequenceBackend) -> list[tuple[list[Sentence], list[float]]]:
    """For each question the sentences of its passage, and how well each answers."""
    questions = embed([one.question for one in asked], Role.QUERY, encoder)
    of = {one.passage.article_id: one.passage for one in asked}
    sentences = {id_: sentences_to_weigh(passage) for id_, passage in of.items()}
    texts = {text: None for id_, passage in of.items() for text in in_context(passage, sentences[id_])}
    vectors = dict(zip(texts, embed(list(texts), Role.PASSAGE, encoder), strict=True))
    found = []
    for one, question in zip(asked, questions, strict=True):
        own = sentences[one.passage.article_id]
        cosines = [float(vectors[text] @ question) for text in in_context(one.passage, own)]
        found.append((own, relevance(one.question, own, cosines)))
    return found


def holds(text: str, answers: Sequence[str], language: str) -> float:
    """Whether an answer stands in `text`."""
    said = "\x1f".join(units(text, language))
    return max(float("\x1f".join(units(answer, language)) in said) for answer in answers)


if __name__ == "__main__":
    main()
