"""Examples for `./rapport train copywriter --file`: what the templates write for the demo catalogue, as if approved.

python -m tests.bench.content.examples /tmp/examples.jsonl [--count 240]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from pathlib import Path

from rapport.events.content import ContentRequested
from rapport.ops.errors import InvalidRequest
from services.content.domain.audience import People
from services.content.domain.checks import Checker
from services.content.domain.templates import Templates
from services.content.handlers.briefs import BriefHandlers
from services.content.settings import ContentSection
from services.content.training.dataset import grounded
from services.content.writing import Copywriter
from tests.bench.content.briefs import NOW, cases
from tests.bench.content.catalogue import demo
from tests.bench.content.memory import Forgetful, Shelf, Unranked
from tests.bench.content.texts import Silent


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--count", type=int, default=240)
    given = parser.parse_args()
    own, chance = ContentSection(), random.Random(3)
    copywriter = Copywriter(
        Templates.load(own.templates), Checker.load(own.rules, own.lexicon), Silent(), Unranked(), 0, frozenset()
    )
    lines: list[str] = []
    for case in cases(demo(), given.count * 6, 3):
        if case.hostile or case.fields["language"] != "en" or len(lines) >= given.count:
            continue
        service = BriefHandlers(
            copywriter, Shelf(case.products), People(), Forgetful(), Forgetful(), approval=False, clock=lambda: NOW
        )
        brief = ContentRequested.model_validate({**case.fields, "channel": "email", "variants": 3})
        try:
            variant = chance.choice((await service.create(brief, "default")).content.variants)
        except InvalidRequest:  # sold out, for a text that says it is back
            continue
        if not variant.words or not grounded(variant.prompt[-1].content, variant.words):
            continue
        turns = [[turn.role, turn.content] for turn in variant.prompt]
        lines.append(json.dumps({"turns": turns, "answer": variant.words, "language": "en"}, ensure_ascii=False))
    given.file.write_text("\n".join(lines), encoding="utf-8")
    print(f"{len(lines)} examples in {given.file}")


if __name__ == "__main__":
    asyncio.run(main())
