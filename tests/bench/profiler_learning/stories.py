"""Which planted stories of clickstream-ecom-synthetic the insights find, and what else they say.

    python -m tests.bench.profiler_learning.stories [--data FOLDER] [--recent 14] [--baseline 56] [--json FILE]

Protocol: 31,106 events of 600 users, January to June 2024, replayed through the analyst's own `Analysis` as behaviour
events; its names are mapped to the Segment vocabulary (table below), the acquisition channel is the campaign, what has
no counterpart becomes a page view of that name. A round at the end of each day, windows of `recent` against the
`baseline` days before (a demo of 20 sessions a day needs weeks where a shop needs a day), repeats held back as live. A
finding counts for a story when its kind and slice say what the story says and its window ends inside the story's days
or a window later. Everything else is told as it is, to be judged: "false" are those that contradict or are not planted.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rapport.bus.messages import Message, Position
from rapport.events.envelope import Envelope
from rapport.events.topics import EVENTS
from services.profiler.domain.rules import Rules
from services.profiler.insights.analysis import Analysis
from services.profiler.insights.finding import DAY_MS, Finding, Windows
from services.profiler.insights.memory import Memory
from tests.bench.figures import report
from tests.bench.profiler_learning.data import folder_of

_NAMES = {
    "product_view": "product_viewed", "catalog": "product_list_viewed", "add_to_cart": "product_added",
    "cart": "cart_viewed", "shipping_details": "checkout_started", "purchase": "order_completed",
    "wishlist_add": "product_wishlisted",
}  # fmt: skip
Story = tuple[str, date, date, str, str]
# Name, days, the kind of finding that tells it, and a part of its subject.
STORIES: tuple[Story, ...] = (
    ("viral article", date(2024, 2, 29), date(2024, 3, 3), "traffic_surge", "traffic:all"),
    ("checkout bug on mobile", date(2024, 4, 9), date(2024, 5, 9), "funnel_drop", "device=mobile"),
    ("payment incident", date(2024, 5, 19), date(2024, 6, 7), "funnel_drop", ":purchase"),
)


def messages(file: Path) -> Iterator[Message]:
    """In order of time."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["timestamp"])
    for number, row in enumerate(rows):
        moment = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
        name = _NAMES.get(row["event"], "page_viewed")
        data: dict[str, Any] = {
            "occurred_at": moment,
            "customer_id": row["user_id"],
            "session_id": row["session_id"],
            "context": {"device": row["platform"], "campaign": row["acquisition_channel"]},
        }
        if name in ("product_viewed", "product_added", "product_wishlisted"):
            data["product_id"] = "unknown"
        elif name == "order_completed":
            data |= {"order_id": f"o-{number}", "total": 1, "currency": "EUR", "products": [{"product_id": "unknown"}]}
        elif name == "page_viewed":
            data["name"] = row["event"]
        event = EVENTS[f"rapport.{name}.v1"].model_validate(data)
        envelope = Envelope(id=f"e-{number}", type=event.ce_type(), source="bench", time=moment, tenant="default")
        position = Position("clickstream.v1", 0, number)
        yield Message(event, envelope, row["user_id"], position, int(moment.timestamp() * 1000))


def run(file: Path, recent_days: float, baseline_days: float) -> list[Finding]:
    """All that is told from the first day to the last."""
    analysis, memory, told = Analysis("default", Rules().session_gap_ms), Memory(), list[Finding]()
    end = 0

    def close(now: int) -> None:
        windows = Windows(now, round(recent_days * DAY_MS), round(baseline_days * DAY_MS))
        told.extend(found for found in analysis.findings(windows, lambda _: None) if memory.is_news(found))
        analysis.forget(windows.before)

    for message in messages(file):
        while end and message.timestamp_ms >= end:
            close(end)
            end += DAY_MS
        end = end or (message.timestamp_ms // DAY_MS + 1) * DAY_MS
        analysis.take([message])
    close(end)
    return told


def story_of(finding: Finding, recent_days: float) -> str:
    """The planted story that the finding tells; "" for none."""
    day = datetime.fromtimestamp(finding.end / 1000, UTC).date() - timedelta(days=1)
    for name, first, last, kind, part in STORIES:
        if finding.kind == kind and part in finding.subject and first <= day <= last + timedelta(days=recent_days):
            return name
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--recent", type=float, default=14)
    parser.add_argument("--baseline", type=float, default=56)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    found = run(folder_of("clickstream-ecom-synthetic", given.data) / "ecom.csv.gz", given.recent, given.baseline)
    table = [
        {
            "day": datetime.fromtimestamp(each.end / 1000, UTC).date() - timedelta(days=1),
            "story": story_of(each, given.recent) or "-",
            "kind": each.kind,
            "subject": each.subject,
            "sure": f"{each.confidence:.5f}",
            "sentence": each.sentence,
        }
        for each in found
    ]
    stories = {str(row["story"]) for row in table} - {"-"}
    none = sum(row["story"] == "-" for row in table)
    total = {"day": "", "story": f"{len(stories)} of {len(STORIES)}", "kind": f"{none} of no story"}
    report(__doc__ or "", [*({**row, "day": str(row["day"])} for row in table), total], given.json)


if __name__ == "__main__":
    main()
