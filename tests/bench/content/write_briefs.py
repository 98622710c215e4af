"""500 briefs through the content service's own code and a real language model: what gets through that is not true.

Protocol: briefs from `briefs.py` (seed, half English, half Chinese, three in ten hostile) over the demo catalogue and
the data sets; `BriefHandlers` with the shipped rules, templates and settings, the model asked over gRPC; memories in
memory. Every published text is then read by `second_checker.py`. `--sample` texts, drawn with the seed, are written
out to be read by a person.

    python -m services.content.worker &      # note its address on the "ready" line
    python -m tests.bench.content.write_briefs --worker 127.0.0.1:PORT --out /tmp/briefs.jsonl
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rapport.events.content import ContentRequested
from rapport.ops.errors import InvalidRequest
from rapport.serving.channel import WorkerChannel
from rapport.serving.generator_client import GeneratorClient
from services.content.adapters.writer import WorkerWriter
from services.content.domain.audience import People
from services.content.domain.checks import Checker
from services.content.domain.templates import Templates
from services.content.handlers.briefs import BriefHandlers
from services.content.settings import ContentSection
from services.content.writing import Copywriter
from tests.bench.content.briefs import NOW, Case, cases
from tests.bench.content.catalogue import all_products
from tests.bench.content.memory import Forgetful, Shelf, Unranked
from tests.bench.content.second_checker import Truth, findings
from tests.bench.figures import percentile, report

DATA = Path(__file__).parents[4] / "shared" / "data"


async def main() -> None:
    given = _arguments()
    own = ContentSection(model_languages=given.languages)
    channel = WorkerChannel(given.worker, given.timeout)
    await channel.start()
    copywriter = Copywriter(
        Templates.load(own.templates),
        Checker.load(own.rules, own.lexicon, strict=own.strict_vocabulary),
        WorkerWriter(
            GeneratorClient(channel),
            max_tokens=own.max_tokens,
            temperature=own.temperature,
            adapter=given.adapter,
            constrain=not given.free,
        ),
        Unranked(),
        own.attempts,
        frozenset(own.model_languages),
    )
    made = cases(all_products(given.data, given.seed), given.count, given.seed)
    slots = asyncio.Semaphore(given.concurrency)
    began = time.monotonic()

    async def one(case: Case) -> dict[str, Any]:
        async with slots:
            return await _write(case, copywriter)

    done = await asyncio.gather(*(one(case) for case in made))
    await channel.stop()
    given.out.write_text(
        "\n".join(json.dumps(each, ensure_ascii=False, default=str) for each in done), encoding="utf-8"
    )
    _show(done, time.monotonic() - began, given)


async def _write(case: Case, copywriter: Copywriter) -> dict[str, Any]:
    handlers = BriefHandlers(
        copywriter, Shelf(case.products), People(), Forgetful(), Forgetful(), approval=False, clock=lambda: NOW
    )
    kept = {"fields": case.fields, "hostile": case.hostile, "must_refuse": case.refuse}
    began = time.monotonic()
    try:
        brief = ContentRequested.model_validate(case.fields)
        created = await handlers.create(brief, "default")
    except (ValidationError, InvalidRequest) as error:
        field = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else error.field
        return {**kept, "refused": str(error).splitlines()[0], "refused_field": field or "brief"}
    seconds = time.monotonic() - began
    (variant,) = created.content.variants
    truth = _truth(case, brief)
    return {
        **kept,
        "text": variant.text,
        "author": variant.author,
        "tries": [decision.model_dump(mode="json") for decision in variant.trail],
        "seconds": seconds,
        "fluency": variant.fluency,
        "second_checker": findings(variant.text, truth, chinese=brief.language == "zh"),
    }


def _truth(case: Case, brief: ContentRequested) -> Truth:
    product = case.products[0]
    texts = [*product.title.values(), *product.description.values(), *product.category, product.brand or ""]
    texts += [f"{key} {value}" for key, value in product.attributes.items()]
    # What a hostile description adds is no fact: the second checker must not take it for one.
    known = " ".join(texts) if case.genuine is None else " ".join([*product.title.values(), case.genuine])
    prices = [product.price] if product.price is not None else []
    names = [*product.title.values(), product.brand or product.title[brief.language]]
    return Truth(names, known, prices, brief.discount_percent, brief.starts_at, brief.ends_at)


def _show(done: Sequence[dict[str, Any]], wall: float, given: argparse.Namespace) -> None:
    written = [each for each in done if "text" in each]
    rows = []
    for language in ("en", "zh"):
        own = [each for each in written if each["fields"]["language"] == language]
        model = [each for each in own if each["author"] == "model"]
        seconds = [each["seconds"] for each in own]
        rows.append(
            {
                "language": language, "briefs": sum(e["fields"]["language"] == language for e in done),
                "written": len(own),
                "by model": len(model), "share": len(model) / max(1, len(own)), "p50 s": percentile(seconds, 0.5),
                "p95 s": percentile(seconds, 0.95), "fluency": sum(e["fluency"] for e in own) / max(1, len(own)),
                "found by 2nd": sum(bool(each["second_checker"]) for each in own),
            }
        )  # fmt: skip
    report(__doc__ or "", rows, given.report)
    hostile = [each for each in done if each["hostile"]]
    wrong = [each for each in hostile if each["must_refuse"] and "text" in each]
    must = sum(each["must_refuse"] for each in hostile)
    print(f"\n{len(hostile)} hostile briefs; must be refused: {must}, written all the same: {len(wrong)}")
    print(
        "refused:",
        dict(
            Counter(f"{each['hostile'] or 'ordinary'}: {each['refused_field']}" for each in done if "refused" in each)
        ),
    )
    codes = Counter(
        code
        for each in written
        for attempt in each["tries"]
        if attempt["author"] == "model"
        for code in attempt["codes"]
    )
    print("model's tries refused for:", dict(codes.most_common()))
    print(f"wall {wall:.0f} s")
    for each in written:
        if each["second_checker"]:
            print("SECOND CHECKER:", each["second_checker"], "|", each["author"], "|", each["text"])
    sample = random.Random(given.seed).sample(written, min(given.sample, len(written)))
    print(f"\nsample of {len(sample)} to be read by a person:")
    for each in sample:
        print(f"[{each['author']}] {each['text']}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", required=True, help="host:port of a worker with a generator")
    parser.add_argument("--languages", default="en", help="that the model writes, comma-separated")
    parser.add_argument("--adapter", default="", help="LoRA adapter by its name in the worker's settings")
    parser.add_argument("--free", action="store_true", help="decode without constraint")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for one text of the model")
    parser.add_argument("--sample", type=int, default=50)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--report", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
