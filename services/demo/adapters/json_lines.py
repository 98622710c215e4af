"""The demo shop as files: what is published, and apart from it what is true."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from rapport.events.base import Event
from rapport.events.knowledge import ArticleUpserted
from services.demo.domain.plan import Plan
from services.demo.domain.simulation import simulate
from services.demo.domain.truth import GroundTruth
from services.demo.domain.world import TimedEvent, World


def export(
    world: World, articles: Iterable[ArticleUpserted], plan: Plan, end: datetime, folder: Path
) -> dict[str, int]:
    """Writes catalog.jsonl, articles.jsonl, events.jsonl up to `end`, and ground_truth.json. Gives entries by file."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = GroundTruth()
    events = takewhile(lambda timed: timed.time < end, simulate(world, plan, truth))
    counts = {
        "catalog.jsonl": _write(folder / "catalog.jsonl", (_line(p.upserted()) for p in world.catalog.products)),
        "articles.jsonl": _write(folder / "articles.jsonl", (_line(article) for article in articles)),
        "events.jsonl": _write(folder / "events.jsonl", (_timed_line(timed) for timed in events)),
    }
    known = json.dumps(truth.as_dict(world, plan, end), ensure_ascii=False, indent=1)
    _write(folder / "ground_truth.json", [known])
    return counts | {"ground_truth.json": len(truth.shoppers)}


def _line(event: Event) -> str:
    return event.to_json().decode()


def _timed_line(timed: TimedEvent) -> str:
    line = {
        "topic": timed.topic,
        "key": timed.key,
        "id": timed.event_id,
        "type": timed.event.ce_type(),
        "data": timed.event.model_dump(mode="json", exclude_none=True),
    }
    return json.dumps(line, ensure_ascii=False)


def _write(path: Path, lines: Iterable[str]) -> int:
    number = 0
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(line + "\n")
            number += 1
    return number
