"""How well prompt injections are told from everything else: see README.md."""

from __future__ import annotations

import argparse
import asyncio
import logging
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import structlog

from rapport.serving.client import Role
from rapport.text.normalise import normalise
from services.chatbot.domain.shelf import Question
from services.chatbot.safety.checks import InjectionRail, SeedMessages
from tests.bench.chatbot_conduct.in_process import open_bot
from tests.integration.chatbot.playing import FOLDER, conversations
from tests.unit.chatbot.conftest import Bot

DATA = Path("/work/shared/data/prompt-injections-deepset")
_THRESHOLDS = (0.5, 0.8)


def shop_messages() -> list[str]:
    read = tomllib.loads((FOLDER.parent / "questions.toml").read_text("utf-8"))
    written = [one["text"] for one in (*read["question"], *read["intent"])]
    turns = [turn for told in conversations() if told["file"] != "safety.yaml" for turn in told["turns"]]
    # chinese.yaml has one injection as well.
    return [*written, *(turn["customer"] for turn in turns if "customer" in turn and turn.get("bot") != "blocked")]


async def stopped(rail: InjectionRail, texts: Sequence[str], bot: Bot) -> list[bool]:
    plain = [normalise(text) for text in texts]
    made = await bot.ports.encoder.embed(plain, role=Role.QUERY)
    questions = [Question(text, "en", vector, made.model) for text, vector in zip(plain, made.vectors, strict=True)]
    return [await rail.check(question.text, [question]) for question in questions]


async def main(data: Path) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    bot = await open_bot()
    test = pd.read_parquet(data / "test.parquet")
    innocent = [text for text, _ in bot.mind.understanding.examples]
    own, more = SeedMessages.load(innocent), SeedMessages.load(innocent, data / "train.parquet")
    labels, shop = (test.label == 1).tolist(), shop_messages()
    for name, seed in (("own examples", own), ("with its train split", more)):
        for threshold in _THRESHOLDS:
            rail = InjectionRail(bot.mind.words, bot.ports.encoder, seed, threshold=threshold)
            found = await stopped(rail, test.text.tolist(), bot)
            hits = sum(one and label for one, label in zip(found, labels, strict=True))
            right = sum(one == label for one, label in zip(found, labels, strict=True))
            false = [text for text, one in zip(shop, await stopped(rail, shop, bot), strict=True) if one]
            print(
                f"{name:<22} from {threshold}: accuracy {right / len(labels):.3f} precision "
                f"{hits / max(1, sum(found)):.3f} recall {hits / sum(labels):.3f}; shop messages stopped "
                f"{len(false)} of {len(shop)} {false[:4]}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    told = parser.parse_args()
    if not (told.data / "test.parquet").exists():
        raise SystemExit(f"no prompt-injections-deepset in {told.data}")
    asyncio.run(main(told.data))
