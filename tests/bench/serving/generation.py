"""Text generation: our worker's engine against plain `generate`, padded batches, transformers' engine and llama.cpp.

    python -m tests.bench.serving.generation [--callers 1 4 16] [--tokens 48] [--out FOLDER]

All with the set's small model (SmolLM2-135M, bf16 where the CPU multiplies it; llama.cpp has the same weights as they
come, in 4 bit), the same chats, greedy, exactly `--tokens` tokens each, in this one process with the same threads.
"ours" is the worker's loop called directly, "ours, grpc" the same through a worker and client on loopback, held by a
regular expression that any text matches. A caller asks again as soon as it has its text, for three texts; "static
batch" and "llama.cpp" get all chats of a round at once and hand over whole texts; "transformers CB" is its own
continuous batching, which gets two texts a caller at once. Tokens a second count what callers got; the first token is
the median over all texts, in milliseconds of the wall. With `--cpu-seconds` (and one thread) the rates are for a second
of computing, which other processes hardly touch.
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

from rapport.models.cpus import available_cpus
from rapport.models.text_ports import Sampling
from rapport.ops.roster import Roster
from rapport.ops.settings import Settings
from rapport.serving.client import GeneratorClient, Turn, WorkerChannel, collect
from rapport.serving.device_thread import DeviceThread
from rapport.serving.generating.engine import TextRequest
from rapport.serving.generating.loading import load_decoder
from rapport.serving.generating.loop import GenerationLoop
from services.content.worker import parts
from tests.bench.figures import Row, report
from tests.bench.serving.goals import Goal, judge
from tests.bench.serving.llama_cpp_peer import LlamaCpp, is_installed
from tests.bench.serving.plot import bars
from tests.bench.serving.writers import Clock, Plain, chat, continuous_rows, llama_rows, plain_rows
from tests.unit.serving.waiting import until

# Texts of each caller.
ROUNDS = 3
# The goal's number of callers.
MANY = 16


async def ask(write: Callable[[int], Any], callers: int, tokens: int, clock: Clock) -> dict[str, Any]:
    """`write` gives (tokens, seconds to the first) for a chat's number."""

    async def caller(number: int) -> list[tuple[int, float]]:
        return [await write(number + turn * callers) for turn in range(ROUNDS)]

    began = clock()
    got = [text for texts in await asyncio.gather(*map(caller, range(callers))) for text in texts]
    took = clock() - began
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


async def engine_rows(settings: Settings, callers: list[int], tokens: int, clock: Clock) -> list[Row]:
    async with engine(settings) as loop:

        async def write(number: int) -> tuple[int, float]:
            pieces = [piece async for piece in loop.generate(TextRequest(chat(number), Sampling(), max_tokens=tokens))]
            return pieces[-1].output_tokens, pieces[-1].first_token_s

        return [{**await ask(write, count, tokens, clock), "who": "ours"} for count in callers]


async def grpc_rows(settings: Settings, callers: list[int], tokens: int, clock: Clock) -> list[Row]:
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
        return [{**await ask(write, count, tokens, clock), "who": "ours, grpc"} for count in callers]
    finally:
        await channel.stop()
        await roster.stop()


def main() -> None:
    asked = _arguments()
    clock: Clock = time.process_time if asked.cpu_seconds else time.perf_counter
    settings = Settings.load()
    threads = settings.worker.threads or available_cpus()
    torch.set_num_threads(threads)
    rows = asyncio.run(engine_rows(settings, asked.callers, asked.tokens, clock))
    plain = Plain(settings)
    plain.write([chat(0)], 4)
    llama = LlamaCpp(max(asked.callers), threads) if is_installed() else None
    for callers in asked.callers:
        rows += plain_rows(plain, callers, asked.tokens, clock)
        rows += llama_rows(llama, plain, callers, asked.tokens, clock) if llama else []
    rows += continuous_rows(plain, asked.callers, asked.tokens, clock)
    if asked.grpc:
        rows += asyncio.run(grpc_rows(settings, asked.callers, asked.tokens, clock))
    alone = {row["callers"]: row["tokens/s"] for row in rows if row["who"] == "sequential"}
    rows = sorted(
        ({**row, "x sequential": row["tokens/s"] / alone[row["callers"]]} for row in rows),
        key=lambda row: row["callers"],
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    unit = "tokens a CPU second" if asked.cpu_seconds else "tokens a second"
    title = f"{threads} threads, {asked.tokens} tokens a text"
    report(f"{title}, {unit}\n{__doc__}", rows, asked.out / "generation.json")
    if llama is None:
        print("llama.cpp is absent: llama-cpp-python is not installed (tests/bench/serving/README.md says how)")
    bars(
        {f"{row['who']}, {row['callers']} callers": row["tokens/s"] for row in rows},
        title,
        unit,
        asked.out / "generation.png",
    )
    ours = [row["x sequential"] for row in rows if (row["who"], row["callers"]) == ("ours", MANY)]
    judge([Goal(f"generation, {MANY} callers: x sequential", each, least=3) for each in ours])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 4, MANY])
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--grpc", action="store_true", help="also through a worker and a client")
    parser.add_argument("--out", type=Path, default=Path("/tmp/rapport-bench-serving"))
    parser.add_argument("--cpu-seconds", action="store_true", help="for a busy machine: count computing time only")
    return parser.parse_args()


if __name__ == "__main__":
    main()
