"""Checks over texts that others wrote: personal data, Chinese advertising copy, and the hand-made lines.

Protocol. `pii`: pii-presidio-synth, 1,500 sentences; a sentence with at least one span of a kind that copy must not
hold counts as personal; let through: the privacy check finds nothing in it. By kind: share of sentences with that
kind in which something was found. False alarms: sentences without any span. `adverts`: zh-advertisegen-dev, `--count`
attribute lists as products; the templates' descriptions: share of attribute values named, and contradictions (a value
of the same attribute, from the whole set, that the product does not have). The set's own human copy is put through
the same checker, to show what it refuses and why. `lines`: tests/unit/content/lines (tuned on) or a folder of lines
of your own.

    python -m tests.bench.content.texts pii|adverts|lines
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from rapport.events.content import ContentRequested
from services.content.domain.audience import People
from services.content.domain.checking.passage import one_form
from services.content.domain.checking.privacy import privacy_problems
from services.content.domain.checks import Checker
from services.content.domain.facts import facts_of
from services.content.domain.templates import Templates
from services.content.handlers.briefs import BriefHandlers
from services.content.settings import ContentSection
from services.content.writing import Copywriter
from tests.bench.content.briefs import NOW
from tests.bench.content.catalogue import garment
from tests.bench.content.memory import Forgetful, Shelf, Unranked
from tests.unit.content.conftest import SHOE

DATA = Path(__file__).parents[4] / "shared" / "data"
LINES = Path(__file__).parents[2] / "unit" / "content" / "lines"
# What a copy may say freely: a date, a place or an organisation is not by itself somebody's.
_NOT_PERSONAL = {"DATE_TIME", "NRP", "ORGANIZATION", "GPE", "TITLE", "AGE", "DOMAIN_NAME", "LOCATION"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pii", "adverts", "lines"))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, default=LINES)
    parser.add_argument("--count", type=int, default=1070)
    parser.add_argument("--show", type=int, default=0)
    given = parser.parse_args()
    own = ContentSection()
    checker = Checker.load(own.rules, own.lexicon)
    if given.what == "pii":
        pii(given.data / "pii-presidio-synth" / "synth_dataset_v2.json", checker, given.show)
    elif given.what == "adverts":
        rows = advert_rows(given.data / "zh-advertisegen-dev" / "dev.json", given.count)
        if rows:
            asyncio.run(adverts(rows, checker))
    else:
        lines(given.folder, checker)


def pii(path: Path, checker: Checker, show: int) -> None:
    if not path.exists():
        print(f"absent: {path}")
        return
    kinds: dict[str, list[bool]] = defaultdict(list)
    personal: list[bool] = []
    alarms: list[bool] = []
    missed = []
    facts = checker.screened(facts_of(_brief("en"), {"p-1": SHOE}, datetime(2026, 3, 5, tzinfo=UTC)))
    let_through = 0
    for entry in json.loads(path.read_text(encoding="utf-8")):
        found = bool(list(privacy_problems(one_form(entry["full_text"]))))
        own = {span["entity_type"] for span in entry["spans"]}
        for kind in own:
            kinds[kind].append(found)
        if own - _NOT_PERSONAL:
            # As a model's copy it would stand beside a product's name.
            copy = f"{SHOE.title['en']}. {entry['full_text']}"
            let_through += not checker.problems(copy, facts, kind="win_back", channel="email")
            personal.append(found)
            if not found:
                missed.append((sorted(own), entry["full_text"]))
        if not own:
            alarms.append(found)
    missing = personal.count(False)
    print(f"sentences with personal data {len(personal)}, let through {missing} ({missing / len(personal):.1%})")
    print(f"  of these, let through by all checks together (strict vocabulary included): {let_through}")
    print(f"sentences without any span {len(alarms)}, refused {sum(alarms)} ({sum(alarms) / max(1, len(alarms)):.1%})")
    for kind, hits in sorted(kinds.items(), key=lambda pair: -len(pair[1])):
        print(f"  {kind:20} {sum(hits)}/{len(hits)} found")
    for kinds_, text in random.Random(1).sample(missed, min(show, len(missed))):
        print("MISSED", kinds_, "|", text.replace("\n", " / ")[:160])


def advert_rows(path: Path, count: int) -> list[dict[str, str]]:
    if not path.exists():
        print(f"absent: {path}")
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][:count]


async def adverts(rows: list[dict[str, str]], checker: Checker) -> None:
    values: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for part in row["content"].split("*"):
            key, value = part.split("#", 1)
            values[key].add(value)
    covered = named = contradictions = refused = 0
    human: Counter[str] = Counter()
    passed = 0
    copywriter = Copywriter(Templates.load(ContentSection().templates), checker, Silent(), Unranked(), 0, frozenset())
    for number, row in enumerate(rows):
        product = garment(f"g-{number}", row["content"], number)
        brief = ContentRequested(
            request_id=f"a-{number}", kind="product_description", language="zh", product_ids=(product.product_id,)
        )
        service = BriefHandlers(copywriter, Shelf([product]), People(), Forgetful(), Forgetful(), False, lambda: NOW)
        text = (await service.create(brief, "default")).content.variants[0].text
        pairs = [tuple(part.split("#", 1)) for part in row["content"].split("*")]
        own: dict[str, set[str]] = defaultdict(set)
        for key, value in pairs:
            own[key].add(value)
        covered += len(pairs)
        named += sum(value in text for _, value in pairs)
        contradictions += sum(
            value in text and not any(value in mine for mine in row["content"].split("*"))
            for key in own for value in values[key] - own[key] if len(value) > 1
        )  # fmt: skip
        facts = checker.screened(facts_of(brief, {product.product_id: product}, NOW))
        copy = f"{product.title['zh']}。{row['summary'].replace('<UNK>', '').replace('BRAND', '')}"
        problems = {
            problem.code for problem in checker.problems(copy, facts, kind="product_description", channel="email")
        }
        human.update(problems)
        passed += not problems
        refused += bool(problems & {"fact_word", "claim", "quantity", "price"})
    share = f"{named}/{covered} attribute values named ({named / covered:.1%})"
    print(f"{len(rows)} descriptions: {share}, {contradictions} contradictions")
    print(f"the set's human copy: {passed} pass, {refused} state what the attributes do not bear out")
    print(f"  by kind {dict(human.most_common())}")


class Silent:
    async def write(
        self, turns: Sequence[tuple[str, str]], *, seed: int, pattern: str | None = None
    ) -> tuple[str, str]:
        raise AssertionError("the model is not asked")


def _brief(language: str) -> ContentRequested:
    """The brief that the hand-made lines are about."""
    return ContentRequested(
        request_id="q", kind="campaign", language=language, product_ids=("p-1",), discount_percent=Decimal(20),
        starts_at=datetime(2026, 3, 1, tzinfo=UTC), ends_at=datetime(2026, 3, 12, tzinfo=UTC),
    )  # fmt: skip


def lines(folder: Path, checker: Checker) -> None:
    """Precision and recall of "refused", and how often for the reason that the file gives."""
    for path in sorted(folder.glob("*.yaml")):
        found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        brief = _brief(path.stem.split("-")[0])
        facts = checker.screened(facts_of(brief, {"p-1": SHOE}, datetime(2026, 3, 5, tzinfo=UTC)))

        def codes(text: str) -> set[str]:
            return {p.code for p in checker.problems(text, facts, kind="campaign", channel="email")}  # noqa: B023 - called at once

        broken = [(code, text, codes(text)) for code, texts in found["broken"].items() for text in texts]
        clean = [(text, codes(text)) for text in found["clean"]]
        caught, alarms = sum(bool(c) for _, _, c in broken), sum(bool(c) for _, c in clean)
        exact = sum(code in c for code, _, c in broken)
        print(f"{path.stem}: {len(broken)} broken, refused {caught} (recall {caught / len(broken):.3f}),", end=" ")
        print(f"for the named reason {exact};", end=" ")
        print(f"{len(clean)} clean, refused {alarms} (precision {caught / max(1, caught + alarms):.3f})")
        without = sum(bool(c - {"unknown_word"}) for _, _, c in broken)
        alarmed = sum(bool(c - {"unknown_word"}) for _, c in clean)
        print(f"  without the strict vocabulary: refused {without} broken, {alarmed} clean")
        for code, text, c in broken:
            if code not in c:
                print(f"  {'MISSED' if not c else 'other reason'} {code}: {text} {sorted(c)}")
        for text, c in clean:
            if c:
                print(f"  ALARM {sorted(c)}: {text}")


if __name__ == "__main__":
    main()
