"""Right article first, among the first three, mean reciprocal rank; refusals. In process, the encoder of the settings.

    python -m tests.bench.chatbot_knowledge.retrieval [--data ../shared/data] [-v]

Questions in our own words (demo shop: tests/integration/chatbot/questions.toml, of which every second one served to
choose the weights; the others: the .toml files beside this, which served for nothing). A question that no article
answers is right when refused; ranks are of the answerable ones, whatever the threshold says.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rapport.models.ports import Role, SequenceBackend
from rapport.ops.settings import Settings
from rapport.serving.loading import load_encoder
from services.chatbot.domain.background import Background
from services.chatbot.domain.ranking import HYBRID, Answer, ranked
from services.chatbot.domain.shelf import Float32, Question, Shelf
from services.chatbot.mind import Manner
from tests.bench.chatbot_knowledge.cases import Case, Collection, collections


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("-v", action="store_true", help="print the questions that went wrong")
    told = parser.parse_args()
    encoder = load_encoder(Settings(), ()).backend
    print(
        f"{'articles':<26}{'questions':>10}{'hit@1':>8}{'hit@3':>8}{'MRR':>8}{'refused':>9}{'precision':>11}{'recall':>8}"
    )
    for collection in collections(told.data):
        shelf = _shelf(collection, encoder)
        for language in ("en", "zh"):
            cases = [case for case in collection.cases if case.language == language]
            _report(f"{collection.name} {language}", cases, _answers(cases, shelf, encoder), told.v)


def embed(texts: Sequence[str], role: Role, encoder: SequenceBackend) -> Float32:
    """float32 [texts, d]."""
    tokens = encoder.tokenize(texts, role)
    order = sorted(range(len(texts)), key=lambda at: len(tokens[at]))
    rows = np.empty((len(texts), encoder.dimensions), np.float32)
    for part in (order[at : at + 32] for at in range(0, len(order), 32)):
        rows[part] = encoder.forward([tokens[at] for at in part])
    return rows


def _shelf(collection: Collection, encoder: SequenceBackend) -> Shelf:
    shelf = Shelf(Background.load())
    for article in collection.articles:
        shelf.put(article)
    lacking = shelf.lacking("bench")
    shelf.learn("bench", dict(zip(lacking, embed(list(lacking.values()), Role.PASSAGE, encoder), strict=True)))
    return shelf


def _answers(cases: Sequence[Case], shelf: Shelf, encoder: SequenceBackend) -> list[list[Answer]]:
    vectors = embed([case.text for case in cases], Role.QUERY, encoder)
    return [
        ranked(shelf.fits(Question(case.text, case.language, vector, "bench")), HYBRID, case.language)
        for case, vector in zip(cases, vectors, strict=True)
    ]


def _report(name: str, cases: Sequence[Case], answers: Sequence[list[Answer]], verbose: bool) -> None:
    ranks, wrong = [], []
    refused = [found[0].known < Manner().refuse_below for found in answers]
    for case, found in zip(cases, answers, strict=True):
        if case.right:
            ranks.append(next((at for at, one in enumerate(found, 1) if one.group in case.right), len(found) + 1))
            if ranks[-1] > 1:
                wrong.append(
                    f"  {case.text} → {found[0].group} (want {'/'.join(sorted(case.right))}, rank {ranks[-1]})"
                )
    unknown = [not case.right for case in cases]
    caught = sum(one and two for one, two in zip(refused, unknown, strict=True))
    first, three = np.mean([rank == 1 for rank in ranks]), np.mean([rank <= 3 for rank in ranks])
    precision, recall = caught / max(1, sum(refused)), caught / max(1, sum(unknown))
    print(
        f"{name:<26}{len(cases):>10}{first:>8.2f}{three:>8.2f}{np.mean([1 / rank for rank in ranks]):>8.2f}"
        f"{sum(refused):>9}{precision:>11.2f}{recall:>8.2f}"
    )
    if verbose:
        print(*wrong, sep="\n")


if __name__ == "__main__":
    main()
