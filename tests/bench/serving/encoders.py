"""Embeddings a second and latency: our runtime beside sentence-transformers, a plain loop, and its own backends called
directly.

One process, the same texts, the same number of threads, the peers in turn, `--rounds` times; the best round of each
counts, since on a shared machine every disturbance makes it slower. Callers send one text a call, each its next one
when it has the last answer. Nothing is cached. CPU seconds are the process's, all threads together: on a busy machine
they are steadier than the clock. "direct": every text at once, sorted by length, in batches of 2,048 tokens: what the
backend can do at most. "grpc": the same callers through a server on the loopback, in the same process. What one caller
waits longer for than if he called the model himself is taken text by text (one_caller.py).

    python -m tests.bench.serving.encoders [--texts FILE] [--count 400] [--threads 2] [--rounds 3] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from rapport.models.encoders import open_encoder
from rapport.models.onnx_encoder import OnnxEncoder
from rapport.models.onnx_export import export
from rapport.models.openvino_encoder import OpenVinoEncoder
from rapport.models.optimise import built_in_texts, calibrate
from rapport.models.ports import Role, SequenceBackend
from rapport.models.sets import Choice, chosen
from rapport.models.sources import locate
from rapport.models.torch_encoder import TorchEncoder
from rapport.ops.settings import ModelSettings, Settings, WorkerSettings
from tests.bench.figures import Row, percentile, report
from tests.bench.serving.goals import Goal, judge
from tests.bench.serving.one_caller import Instant, one_caller
from tests.bench.serving.peers import plain_loop, sentence_transformers, with_tokenizer_config
from tests.bench.serving.plot import bars
from tests.bench.serving.served import Ask, served
from tests.bench.serving.texts import DEFAULT, TextSet, text_sets

CALLERS = (1, 8, 64)
PEER = "sentence-transformers, batch 32"
Run = Callable[[Sequence[str]], float]
"""Embeds the texts, returns the seconds."""


async def by_callers(ask: Ask, texts: Sequence[str], callers: int) -> tuple[float, list[float]]:
    """Seconds for all texts, and each call's."""
    left, took = iter(texts), []

    async def caller() -> None:
        for text in left:
            began = time.perf_counter()
            await ask(text)
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return time.perf_counter() - began, took


def direct(backend: SequenceBackend, texts: Sequence[str]) -> float:
    """Seconds for all texts at once."""
    began = time.perf_counter()
    sequences = sorted(backend.tokenize(texts, Role.PASSAGE), key=len)
    for part in _batches(sequences, backend.batch_tokens):
        backend.forward(part)
    return time.perf_counter() - began


def _batches(sequences: Sequence[list[int]], most: int) -> Iterator[list[list[int]]]:
    part: list[list[int]] = []
    for sequence in sequences:
        if part and sum(map(len, part)) + len(sequence) > most:
            yield part
            part = []
        part.append(sequence)
    yield part


async def serve(backend: SequenceBackend, texts: Sequence[str], rows: dict[str, list[float]]) -> None:
    """Adds one round of our runtime at every number of callers, without and with gRPC; milliseconds of single calls."""
    async with served(backend) as ways:
        for way, ask in ways.items():
            for callers in CALLERS:
                # One caller is as slow as a call: a quarter of the texts tells as much.
                asked = texts[: len(texts) // 4] if callers == 1 else texts
                cpu = time.process_time()
                seconds, took = await by_callers(ask, asked, callers)
                rows.setdefault(f"cpu {way}, {callers} callers", []).append(len(asked) / (time.process_time() - cpu))
                rows.setdefault(f"{way}, {callers} callers", []).append(len(asked) / seconds)
                rows.setdefault(f"ms {way}, {callers} callers", []).append(percentile(took, 0.5) * 1000)


def measure(backends: dict[str, SequenceBackend], peers: dict[str, Run], of: TextSet, rounds: int) -> dict[str, float]:
    """Texts a second by what ran ("ms …": milliseconds), the best of the rounds."""
    rows: dict[str, list[float]] = {}

    def throughput(name: str, run: Run) -> None:
        cpu = time.process_time()
        rows.setdefault(name, []).append(len(of.texts) / run(of.texts))
        rows.setdefault(f"cpu {name}", []).append(len(of.texts) / (time.process_time() - cpu))

    for _ in range(rounds):
        for name, run in peers.items():
            throughput(name, run)
        for name, backend in backends.items():
            throughput(f"{name} direct", functools.partial(direct, backend))
            own: dict[str, list[float]] = {}
            asyncio.run(serve(backend, of.texts, own))
            for key, values in own.items():
                rows.setdefault(key.replace("ours", f"ours {name}"), []).extend(values)
    return {name: (min if name.startswith("ms ") else max)(values) for name, values in rows.items()}


def throughput_of(found: Mapping[str, float]) -> list[Row]:
    """By wall and by CPU time, each also as a multiple of sentence-transformers'."""
    return [
        {
            "what": name,
            "texts/s": value,
            "x ST": value / found[PEER],
            "texts/CPU s": found[f"cpu {name}"],
            "x ST by CPU": found[f"cpu {name}"] / found[f"cpu {PEER}"],
        }
        for name, value in found.items()
        if not name.startswith(("ms ", "cpu "))
    ]


def goals(name: str, found: Mapping[str, float], alone: Sequence[Row]) -> list[Goal]:
    """Of one set of texts."""
    asked = []
    if "openvino int8 direct" in found:
        ours = found["ours openvino int8, 64 callers"]
        asked = [
            Goal(f"{name}, 64 callers: x sentence-transformers", ours / found[PEER], least=2),
            Goal(f"{name}, 64 callers: share of the direct limit", ours / found["openvino int8 direct"], least=0.9),
        ]
    longer = [row for row in alone if row["way"] == "ours"]
    return asked + [
        Goal(f"{name}, 1 caller, {row['backend']}: ms longer than direct", row["longer by ms"], most=1)
        for row in longer
    ]


def main() -> None:
    arguments = _arguments()
    settings = Settings(models=ModelSettings(follow=False), worker=WorkerSettings(threads=arguments.threads))
    choice = chosen(settings.models).encoder
    folder = locate(choice, settings.models.cache)
    arguments.out.mkdir(parents=True, exist_ok=True)
    backends = _backends(choice, folder, settings, arguments.backends.split(","), arguments.out)
    theirs = with_tokenizer_config(folder, arguments.out / "model")
    peers: dict[str, Run] = {
        PEER: sentence_transformers(theirs, arguments.threads),
        "plain transformers loop": plain_loop(theirs, arguments.threads),
    }
    judged: list[Goal] = []
    for of in text_sets(arguments.texts, arguments.count):
        found = measure(backends, peers, of, arguments.rounds)
        each = {"a model that takes no time": Instant(), **backends}
        alone = [row for name, backend in each.items() for row in asyncio.run(one_caller(name, backend, of.texts))]
        title = f"{of.name}: {len(of.texts)} texts, {arguments.threads} threads"
        table = throughput_of(found)
        report(f"{title}\n{__doc__}", table, arguments.out / f"{of.name}.json")
        calls = [{"what": name[3:], "median ms": ms} for name, ms in found.items() if name.startswith("ms ")]
        report(f"{of.name}: milliseconds of a call", calls, arguments.out / f"{of.name}-calls.json")
        report(
            f"{of.name}: one caller, beside calling the model directly", alone, arguments.out / f"{of.name}-one.json"
        )
        speeds = {str(row["what"]): float(row["texts/s"]) for row in table}
        bars(speeds, title, "texts a second", arguments.out / f"{of.name}.png")
        judged += goals(of.name, found, alone)
    judge(judged)


def _backends(
    choice: Choice, folder: Path, settings: Settings, names: Sequence[str], out: Path
) -> dict[str, SequenceBackend]:
    threads = settings.worker.threads
    found: dict[str, SequenceBackend] = {}
    if "torch" in names:
        models = settings.models.model_copy(update={"runtime": "torch"})
        found["torch"] = open_encoder(folder, choice, models, settings.worker)
    if "bf16" in names:
        found["openvino bf16"] = OpenVinoEncoder(folder, choice.name, choice.prefixes, "bf16", threads)
    if {"int8", "onnx"} & set(names):
        import torch

        exact = TorchEncoder(folder, choice.name, choice.prefixes, "cpu", threads, torch.float32)
        ranges = calibrate(exact, built_in_texts()[::16])
    if "int8" in names:
        found["openvino int8"] = OpenVinoEncoder(folder, choice.name, choice.prefixes, "int8", threads, ranges)
    if "onnx" in names:
        export(folder, ranges, out)
        found["onnxruntime int8"] = OnnxEncoder(folder, choice.name, choice.prefixes, "int8", threads, out)
    warm = built_in_texts()[:64]
    for backend in found.values():
        assert np.isfinite(backend.forward(backend.tokenize(warm, Role.PASSAGE))).all()
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, default=DEFAULT, help="Product titles, a line each or a TSV with `name`.")
    parser.add_argument("--count", type=int, default=400, help="Texts of each set.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backends", default="torch,bf16,int8,onnx")
    parser.add_argument("--out", type=Path, default=Path("/tmp/rapport-bench-serving"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
