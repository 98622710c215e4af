"""Questions that lean on the one before, and turns to another subject: two turns each over the handlers, in process.

    python -m tests.bench.chatbot_knowledge.follow_ups [-v]

`follow_ups.toml`, the demo shop's articles, the encoder of the settings. Right: the reply quotes an article of the
topic; where none answers, anything but an answer is right.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tomllib
from pathlib import Path

import structlog

from rapport.events.chat import ChatReply
from tests.bench.chatbot_conduct.in_process import open_bot
from tests.unit.chatbot.conftest import Bot, says

_FILE = Path(__file__).with_name("follow_ups.toml")


async def topic(before: str, now: str, place: str, bot: Bot) -> str:
    """Of the article that answers `now`, said after `before`; "" when it is not answered from an article."""
    for number, text in enumerate((before, now)):
        parts = bot.converse(says(text, f"{place}-{number}", conversation_id=place, channel="converse"))
        *_, reply = [part async for part in parts]
    assert isinstance(reply, ChatReply)
    return reply.sources[0].id.removeprefix("help-").rpartition("-")[0] if reply.action == "answer" else ""


async def main(verbose: bool) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    bot = await open_bot()
    for language, cases in tomllib.loads(_FILE.read_text(encoding="utf-8")).items():
        for what, listed in (
            ("leaning", [one for one in cases if one[2]]),
            ("other", [one for one in cases if not one[2]]),
        ):
            said = [await topic(one[0], one[1], f"{language}-{what}-{at}", bot) for at, one in enumerate(listed)]
            right = [ours == one[2] for ours, one in zip(said, listed, strict=True)]
            print(f"{language} {what}: {sum(right)} of {len(right)} right")
            if verbose:
                for one, ours, good in zip(listed, said, right, strict=True):
                    print("" if good else f"  {one[0]} / {one[1]} → {ours or 'no answer'}, want {one[2] or 'none'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-v", action="store_true", help="print what went wrong")
    asyncio.run(main(parser.parse_args().v))
