"""Audit of worded answers: sentences that reached the customer without support.

    python -m tests.bench.chatbot_knowledge.grounding write OUT.jsonl [--from 0] [--most 200]    by the real worker
    python -m tests.bench.chatbot_knowledge.grounding check OUT.jsonl                            independently

`write` asks English questions of the demo shop (ours, the shoppers', the articles' own titles) and of `abcd-guidelines`
of a chatbot that words its answers with the generator of the settings, and notes passage, sentences shown, and times.

`check` knows nothing of the rule that lets sentences through (`domain/grounding.py`: numbers, negation, two thirds of
the content words). It flags a sentence for reading when any of its words, function words aside, is not in the passage
in the same first four letters, or when less than half of its pairs of neighbouring words stand there as neighbours.
Every flagged sentence is to be read by a person; the others copy the passage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import structlog
import yaml

from rapport.events.chat import Source
from rapport.ops.parts import Part
from rapport.ops.roster import Roster
from rapport.ops.settings import Settings, WorkerSettings
from rapport.serving.client import EncoderClient, GeneratorClient, WorkerChannel
from rapport.testing.events import received
from rapport.text.sentences import split_sentences
from services import demo
from services.chatbot import worker
from services.chatbot.domain.conversation import Conversation
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.passages import passages
from services.chatbot.domain.reading import Context
from services.chatbot.domain.words import content_words
from services.chatbot.handlers import learn, on_articles
from services.chatbot.knowledge import Articles
from tests.bench.chatbot_knowledge.cases import Collection, collections
from tests.integration.chatbot.conftest import until
from tests.unit.chatbot.conftest import Bot

_PHRASES = Path(demo.__file__).parent / "data" / "phrases" / "questions.yaml"
# Letters that two forms of a word share; share of neighbours from which a sentence is taken for a copy.
_STEM, _COPIED = 4, 0.5
# A model that loads beside busy processes.
_READY_S = 240.0


@dataclass(frozen=True, slots=True)
class Worded:
    """`first_s`, `whole_s`: from the question, its passage found, to the first sentence shown and to the last."""

    question: str
    passage: str
    text: str
    worded: bool
    first_s: float
    whole_s: float


def questions(collection: Collection) -> list[str]:
    own = [case.text for case in collection.cases if case.right and case.language == "en"]
    if collection.name != "demo shop":
        return own
    told = yaml.safe_load(_PHRASES.read_text(encoding="utf-8"))
    shoppers = [text for of_topic in told.values() for text in of_topic["en"]]
    titles = [article.title for article in collection.articles if article.language == "en"]
    return [*own, *shoppers, *titles]


async def write(out: Path, data: Path, first: int, most: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    roster = Roster()
    parts = worker.parts(Settings(worker=WorkerSettings(port=0)))
    roster.add(parts)
    try:
        await roster.start()
        await until(lambda: _ready(parts), _READY_S, "the worker is ready")
        channel = WorkerChannel(roster.addresses()["grpc"], 30.0)
        await channel.start()
        asked = 0
        for collection in collections(data):
            if collection.name.endswith("zh-store"):
                continue  # Chinese articles are quoted to an English question, not worded
            listed = questions(collection)
            wanted = [text for at, text in enumerate(listed, asked) if first <= at < first + most]
            asked += len(listed)
            with out.open("a", encoding="utf-8") as lines:
                async for told in _answers(collection, wanted, channel):
                    lines.write(json.dumps(asdict(told), ensure_ascii=False) + "\n")
                    lines.flush()
        await channel.stop()
    finally:
        await roster.stop()


async def _ready(parts: Sequence[Part]) -> bool:
    return all(part.health().ready for part in parts)


async def _answers(collection: Collection, wanted: list[str], channel: WorkerChannel) -> AsyncIterator[Worded]:
    bot = Bot(real=EncoderClient(channel))
    on_articles(received(*collection.articles), bot.mind.library)
    await learn(bot.ports, bot.mind)
    knowledge = Articles(bot.mind, GeneratorClient(channel))
    context = Context(Conversation("default", "audit"), "en")
    for text in wanted:
        reading = await bot.ports.understanding.read(text, context)
        began, first = time.perf_counter(), 0.0
        async for part in knowledge.answer(reading, context):
            first = first or time.perf_counter() - began
            if isinstance(part, Draft) and part.sources:
                passage = _passage(collection, part.sources[0])
                yield Worded(text, passage, part.text, part.model is not None, first, time.perf_counter() - began)


def _passage(collection: Collection, source: Source) -> str:
    """What the model was given: the passage that the source's place lies in."""
    article = next(one for one in collection.articles if one.article_id == source.id)
    held = [one for one in passages(article) if one.start <= (source.start or 0) <= one.start + len(one.text)]
    return f"{held[0].reference}\n{held[0].text}"


def check(out: Path) -> None:
    told = [Worded(**json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()]
    worded = [one for one in told if one.worded]
    sentences = [(one, sentence.text) for one in worded for sentence in split_sentences(one.text)]
    flagged = [(one, sentence, found) for one, sentence in sentences if (found := strange(sentence, one.passage))]
    print(f"{len(told)} answers: {len(worded)} worded ({len(sentences)} sentences), the others quoted")
    if len(worded) < 2:
        return
    times = {"first sentence": [one.first_s for one in worded], "all": [one.whole_s for one in worded]}
    for what, seconds in times.items():
        print(f"{what}: p50 {statistics.median(seconds):.2f} s, p95 {statistics.quantiles(seconds, n=20)[-1]:.2f} s")
    print(f"to read: {len(flagged)} sentences")
    for one, sentence, why in flagged:
        print(f"\nQ: {one.question}\nS: {sentence}\n   {'; '.join(why)}\nP: {one.passage}")


def strange(sentence: str, passage: str) -> list[str]:
    """What speaks against the sentence being the passage's own; nothing when it copies."""
    known = {word[:_STEM] for word in content_words(passage)}
    new = [word for word in content_words(sentence) if word[:_STEM] not in known]
    pairs, there = set(_pairs(sentence)), set(_pairs(passage))
    copied = len(pairs & there) / max(1, len(pairs))
    found = [f"new words: {', '.join(new)}"] if new else []
    return [*found, f"{copied:.0%} of its word pairs"] if new or copied < _COPIED else []


def _pairs(text: str) -> list[tuple[str, str]]:
    words = re.findall(r"[\w'€%.-]*\w", text.casefold())
    return list(pairwise(words))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["write", "check"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--most", type=int, default=200)
    told = parser.parse_args()
    if told.what == "check":
        check(told.out)
    else:
        asyncio.run(write(told.out, told.data, told.first, told.most))


if __name__ == "__main__":
    main()
