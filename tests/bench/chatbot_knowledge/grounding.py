"""Audit of worded answers: sentences that reached the customer without support.

    python -m tests.bench.chatbot_knowledge.grounding write OUT.jsonl [--from 0] [--most 200] [--at-once 8]
    python -m tests.bench.chatbot_knowledge.grounding check OUT.jsonl [--all]

`write` asks English questions of the demo shop (ours, the shoppers', the articles' own titles) and of `abcd-guidelines`
of a chatbot that words its answers with the generator of the settings, by the real worker, and notes passage, the
model's draft, the sentences shown, and CPU seconds of the process, which are those of the answer with `--at-once 1`.
The product's limit of time is lifted: on a busy machine it would leave nothing to audit.

`check` knows nothing of the rule that lets sentences through (`domain/grounding.py`: one statement of the passage, from
which words may be left out). It flags a sentence for reading when any of its words, function words aside, is not in the
passage in the same first four letters, or when less than half of its pairs of neighbouring words stand there as
neighbours. Every flagged sentence is to be read by a person, with `--all` every sentence that was shown.
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
from rapport.serving.client import EncoderClient, GeneratorClient, Piece, Turn, WorkerChannel
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
from services.chatbot.ports import Generator
from tests.bench.chatbot_knowledge.cases import Collection, collections
from tests.integration.chatbot.conftest import until
from tests.unit.chatbot.conftest import Bot

_PHRASES = Path(demo.__file__).parent / "data" / "phrases" / "questions.yaml"
# Letters that two forms of a word share; share of neighbours from which a sentence is taken for a copy.
_STEM, _COPIED = 4, 0.5
# A model that loads, and one that writes, beside busy processes.
_READY_S, _PATIENCE_S = 240.0, 600.0


@dataclass(frozen=True, slots=True)
class Worded:
    """`first_s`, `whole_s`: CPU seconds from the question, its passage found, to the first piece of the draft and to
    its end."""

    question: str
    passage: str
    text: str
    worded: bool
    draft: str
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


class Recorder:
    """A `Generator` that notes what the model wrote, and waits for it."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.draft, self.first_s = "", 0.0

    async def generate(
        self, messages: Sequence[Turn], *, max_tokens: int = 0, timeout_s: float | None = None
    ) -> AsyncIterator[Piece]:
        began = time.process_time()
        async for piece in self._generator.generate(messages, max_tokens=max_tokens, timeout_s=_PATIENCE_S):
            self.first_s = self.first_s or time.process_time() - began
            self.draft += piece.text
            yield piece


async def write(out: Path, data: Path, first: int, most: int, at_once: int) -> None:
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
                async for told in _answers(collection, wanted, channel, at_once):
                    lines.write(json.dumps(asdict(told), ensure_ascii=False) + "\n")
                    lines.flush()
        await channel.stop()
    finally:
        await roster.stop()


async def _ready(parts: Sequence[Part]) -> bool:
    return all(part.health().ready for part in parts)


async def _answers(
    collection: Collection, wanted: list[str], channel: WorkerChannel, at_once: int
) -> AsyncIterator[Worded]:
    bot = Bot(real=EncoderClient(channel))
    on_articles(received(*collection.articles), bot.mind.library)
    await learn(bot.ports, bot.mind)
    for at in range(0, len(wanted), at_once):
        for told in await asyncio.gather(
            *(_answer(text, collection, bot, channel) for text in wanted[at : at + at_once])
        ):
            if told is not None:
                yield told


async def _answer(text: str, collection: Collection, bot: Bot, channel: WorkerChannel) -> Worded | None:
    """None when it is not worded: refused, or quoted from the other language."""
    recorder = Recorder(GeneratorClient(channel))
    context = Context(Conversation("default", "audit"), "en")
    reading = await bot.ports.understanding.read(text, context)
    began = time.process_time()
    parts = [part async for part in Articles(bot.mind, bot.short, recorder).answer(reading, context)]
    draft = next(part for part in parts if isinstance(part, Draft))
    if not recorder.draft:
        return None
    passage, spent = _passage(collection, draft.sources[0]), time.process_time() - began
    return Worded(text, passage, draft.text, draft.model is not None, recorder.draft, recorder.first_s, spent)


def _passage(collection: Collection, source: Source) -> str:
    """What the model was given: the passage that the source's place lies in."""
    article = next(one for one in collection.articles if one.article_id == source.id)
    held = [one for one in passages(article) if one.start <= (source.start or 0) <= one.start + len(one.text)]
    return f"{held[0].reference}\n{held[0].text}"


def check(out: Path, everything: bool) -> None:
    told = [Worded(**json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()]
    written = sum(len(split_sentences(one.draft)) for one in told)
    shown = [(one, sentence.text) for one in told if one.worded for sentence in split_sentences(one.text)]
    flagged = [(one, sentence, found) for one, sentence in shown if (found := strange(sentence, one.passage))]
    worded = sum(one.worded for one in told)
    print(f"{len(told)} drafts of {written} sentences; {worded} reached the customer in part, the others were quoted")
    print(f"{written - len(shown)} sentences dropped, {len(shown)} shown, {len(flagged)} of them flagged")
    first, whole = (
        statistics.median(times) for times in zip(*((one.first_s, one.whole_s) for one in told), strict=True)
    )
    print(f"CPU seconds of the process, median: {first:.2f} to the first piece, {whole:.2f} in all")
    for one, sentence, why in flagged:
        print(f"\nQ: {one.question}\nS: {sentence}\n   {'; '.join(why)}\nP: {one.passage}")
    for one, sentence in shown if everything else ():
        print(f"\nQ: {one.question}\nS: {sentence}\nP: {one.passage}")


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
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--all", action="store_true", help="print every sentence that was shown")
    told = parser.parse_args()
    if told.what == "check":
        check(told.out, told.all)
    else:
        asyncio.run(write(told.out, told.data, told.first, told.most, told.at_once))


if __name__ == "__main__":
    main()
