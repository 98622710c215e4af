"""Text generation: our worker's engine against plain `generate`, one after another and in one padded batch.

    python -m tests.bench.serving.generation [--callers 1 4 16] [--tokens 48] [--file figures.json]

All with the set's small model (SmolLM2-135M, bf16 where the CPU multiplies it), the same chats, greedy, exactly
`--tokens` tokens each, in this one process with the same threads. "engine" is the worker's loop called directly, "grpc"
the same through a worker and client on loopback. A caller asks again as soon as it has its text, for three texts;
"static batch" gets all chats of a round at once and hands over whole texts; "transformers CB" is its own
continuous batching, which gets two texts a caller at once. Tokens a second count what callers got;
the first token is the median over all texts, in seconds of the wall. With `--cpu-seconds` (and one thread) the
rates are for a second of computing, which other processes hardly touch.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, ContinuousBatchingConfig, GenerationConfig

from rapport.models.cpus import available_cpus
from rapport.models.sets import chosen
from rapport.models.sources import locate
from rapport.models.text_ports import Sampling
from rapport.models.torch_device import choose_device, compute_dtype
from rapport.ops.roster import Roster
from rapport.ops.settings import Settings
from rapport.serving.client import GeneratorClient, Turn, WorkerChannel, collect
from rapport.serving.device_thread import DeviceThread
from rapport.serving.generating.engine import TextRequest
from rapport.serving.generating.hosting import load_decoder
from rapport.serving.generating.loop import GenerationLoop
from services.content.worker import parts
from tests.bench.figures import report
from tests.unit.serving.waiting import until

SYSTEM = (
    "You write short lines for an online shop. Be friendly, say what the product is good for, and name it. "
    "Never invent a price, a discount or a date, and never promise what the shop has not promised."
)
GOODS = (
    "hiking boots", "a kettle", "a red dress", "headphones", "green tea", "a puzzle", "a winter jacket", "a yoga mat",
    "a lamp", "a backpack", "a teapot", "running shoes", "a blender", "a watch", "a scarf", "a notebook",
)  # fmt: skip
# Texts of each caller.
ROUNDS = 3
# Seconds of the wall; with --cpu-seconds those that this process computes.
CLOCK: Callable[[], float] = time.perf_counter


def chat(number: int) -> list[tuple[str, str]]:
    return [("system", SYSTEM), ("user", f"Write two sentences that recommend {GOODS[number % len(GOODS)]}.")]


class Plain:
    """transformers' own `generate`, as its documentation shows it."""

    def __init__(self, settings: Settings) -> None:
        folder = locate(chosen(settings.models).generator, settings.models.cache)
        device = choose_device("auto")
        models: Any = AutoModelForCausalLM  # untyped
        tokenizers: Any = AutoTokenizer
        self.tokenizer: Any = tokenizers.from_pretrained(folder, padding_side="left")
        self.network: Any = models.from_pretrained(folder, dtype=compute_dtype(device)).to(device).eval()
        self.tokenizer.pad_token = self.tokenizer.pad_token or self.tokenizer.eos_token

    def ids(self, chat: list[tuple[str, str]]) -> list[int]:
        turns = [{"role": role, "content": content} for role, content in chat]
        return list(self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False))

    def write(self, chats: list[list[tuple[str, str]]], tokens: int) -> int:
        """Tokens made."""
        turns = [[{"role": role, "content": content} for role, content in chat] for chat in chats]
        asked = self.tokenizer.apply_chat_template(
            turns, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        )
        made = self.network.generate(**asked, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)
        return int((made.shape[1] - asked["input_ids"].shape[1]) * made.shape[0])


def plain_rows(plain: Plain, callers: int, tokens: int) -> list[dict[str, Any]]:
    """`generate` one after another, and all of a round in one batch."""
    rows = []
    for name, size, texts in (("sequential", 1, 4), ("static batch", callers, callers * 2)):
        began = CLOCK()
        made = sum(plain.write([chat(start + at) for at in range(size)], tokens) for start in range(0, texts, size))
        rows.append({"callers": callers, "who": name, "tokens/s": made / (CLOCK() - began)})
    return rows


def continuous_rows(plain: Plain, callers: list[int], tokens: int) -> list[dict[str, Any]]:
    """transformers' own continuous batching, with pages of 32 tokens."""
    configs: Any = GenerationConfig  # untyped
    config = configs(max_new_tokens=tokens, do_sample=False, eos_token_id=-1, pad_token_id=0)
    pages = ContinuousBatchingConfig(page_size=32, num_blocks=256, max_batch_tokens=512)
    manager = plain.network.init_continuous_batching(generation_config=config, continuous_batching_config=pages)
    manager.start()
    rows = []
    for count in callers:
        asked = [plain.ids(chat(number)) for number in range(count * 2)]
        began, left = CLOCK(), len(asked)
        manager.add_requests(asked, max_new_tokens=tokens)
        while left:
            result = manager.get_result(timeout=1)
            left -= bool(result and result.is_finished())
        rate = len(asked) * tokens / (CLOCK() - began)
        rows.append({"callers": count, "who": "transformers CB", "tokens/s": rate})
    manager.stop(block=True)
    return rows


async def ask(write: Callable[[int], Any], callers: int, tokens: int) -> dict[str, Any]:
    """`write` gives (tokens, seconds to the first) for a chat's number."""

    async def caller(number: int) -> list[tuple[int, float]]:
        return [await write(number + turn * callers) for turn in range(ROUNDS)]

    began = CLOCK()
    got = [text for texts in await asyncio.gather(*map(caller, range(callers))) for text in texts]
    took = CLOCK() - began
    assert {made for made, _ in got} == {tokens}, "a text ended early: the figures would not compare"
    return {
        "callers": callers,
        "tokens/s": sum(made for made, _ in got) / took,
        "first token ms": median(first for _, first in got) * 1000,
    }


@asynccontextmanager
async def engine(settings: Settings) -> AsyncIterator[GenerationLoop]:
    device = DeviceThread("device")
    decoder = await device.run(load_decoder, settings)
    # So that every text has the same length, as `min_new_tokens` does for the peers.
    decoder.network.ends = frozenset()  # type: ignore[attr-defined]
    loop = GenerationLoop("bench", decoder, device, max_queue=100, default_max_tokens=128)
    loop.start()
    yield loop
    await loop.stop()
    device.close()


async def engine_rows(settings: Settings, callers: list[int], tokens: int) -> list[dict[str, Any]]:
    async with engine(settings) as loop:

        async def write(number: int) -> tuple[int, float]:
            pieces = [piece async for piece in loop.generate(TextRequest(chat(number), Sampling(), max_tokens=tokens))]
            return pieces[-1].output_tokens, pieces[-1].first_token_s

        return [{**await ask(write, count, tokens), "who": "engine"} for count in callers]


async def grpc_rows(settings: Settings, callers: list[int], tokens: int) -> list[dict[str, Any]]:
    """A regular expression that any text matches keeps the model from ending early."""
    roster = Roster()
    worker = parts(settings)
    roster.add(worker)
    await roster.start()
    await until(lambda: all(part.health().ready for part in worker), 120.0)
    channel = WorkerChannel(roster.addresses()["grpc"], 300.0)
    await channel.start()
    client = GeneratorClient(channel)

    async def write(number: int) -> tuple[int, float]:
        turns = [Turn(role, content) for role, content in chat(number)]
        whole = await collect(client.generate(turns, max_tokens=tokens, regex=r"(.|\n){2000,3000}"))
        return whole.output_tokens, whole.first_token_ms / 1000

    try:
        return [{**await ask(write, count, tokens), "who": "grpc, with a regex"} for count in callers]
    finally:
        await channel.stop()
        await roster.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--grpc", action="store_true", help="also through a worker and a client")
    parser.add_argument("--file", type=Path, help="keep the figures here, as JSON")
    parser.add_argument("--cpu-seconds", action="store_true", help="for a busy machine: count computing time only")
    asked = parser.parse_args()
    if asked.cpu_seconds:
        globals()["CLOCK"] = time.process_time
    settings = Settings.load()
    threads = settings.worker.threads or available_cpus()
    torch.set_num_threads(threads)
    rows = asyncio.run(engine_rows(settings, asked.callers, asked.tokens))
    plain = Plain(settings)
    plain.write([chat(0)], 4)
    for callers in asked.callers:
        rows += plain_rows(plain, callers, asked.tokens)
    rows += continuous_rows(plain, asked.callers, asked.tokens)
    if asked.grpc:
        rows += asyncio.run(grpc_rows(settings, asked.callers, asked.tokens))
    alone = {row["callers"]: row["tokens/s"] for row in rows if row["who"] == "sequential"}
    for row in rows:
        row["x sequential"] = row["tokens/s"] / alone[row["callers"]]
    report(f"{__doc__.splitlines()[0]} {threads} threads.", sorted(rows, key=lambda row: row["callers"]), asked.file)


if __name__ == "__main__":
    main()
