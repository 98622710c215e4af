"""How well the need spectrum knows what a shopper of the demo shop is after, and how soon it notices a new taste.

    ./rapport demo export --out /tmp/shop --days 30 --seed 3
    python -m tests.bench.profiler.tastes /tmp/shop [--json FILE]

Protocol: the export's clickstream and chats through the profiler's own handler, one event at a time in the order of the
log, identity merges included; the real encoder in this process, state in memory. The truth is in no event.

- rank of the visit's interest: after each visit of a known shopper, where in the published needs the kind of goods is
  that most of the visit was about; and where the kind of the visit before it is, when that was another.
- drift: shoppers whose taste changed within the log. From the first event of a visit about a kind that only the new
  taste has: events until a need of that name is there, until it is the strongest. With the 95 % interval of the mean
  over shoppers (percentile bootstrap, 2,000 draws).
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from rapport.bus.messages import Message, Outgoing
from rapport.events.catalog import ProductUpserted
from rapport.events.profiles import ProfileUpdated
from rapport.testing import message
from services.profiler.adapters.states import KeyedCustomers
from services.profiler.handlers import hear_chat, profile_behaviour
from tests.bench.figures import Row, percentile, report
from tests.bench.profiler_learning.replay import LocalModels, Replay, messages

# Weight below which a kind is noise: the demo gives every shopper a few kinds at 0.02.
_MAIN_FROM = 0.1
_DRAWS = 2_000


@dataclass(slots=True)
class Drift:
    """One change of taste. The counts are of events from the first one about it."""

    kinds: frozenset[str]
    since: datetime
    events: int = 0
    begun: bool = False
    there: int | None = None
    first: int | None = None


@dataclass(slots=True)
class Watch:
    """What is compared with the truth, event by event."""

    truth: dict[str, Any]
    ranks: list[int] = field(default_factory=list)
    """Of the visit's kind; 0: not among the needs."""
    before: list[int] = field(default_factory=list)
    drifts: dict[str, Drift] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    """The kind of each shopper's visit before."""

    def __post_init__(self) -> None:
        self.drifts = dict(_drifts(self.truth))

    def visited(self, session: str, profile: ProfileUpdated) -> None:
        """A visit is over, and `profile` is as of its last event."""
        kinds = Counter(self.truth["visits"].get(session, {}).get("kinds", ()))
        if not kinds:
            return
        kind = self._name(kinds.most_common(1)[0][0])
        self.ranks.append(_rank(profile, kind))
        previous = self.last.get(profile.customer_id)
        if previous is not None and previous != kind:
            self.before.append(_rank(profile, previous))
        self.last[profile.customer_id] = kind

    def moved(self, session: str | None, profile: ProfileUpdated) -> None:
        """One event later."""
        drift = self.drifts.get(profile.customer_id)
        if drift is None or drift.first is not None or profile.occurred_at is None:
            return
        about = self.truth["visits"].get(session or "", {}).get("kinds", ())
        drift.begun = drift.begun or (profile.occurred_at >= drift.since and bool(drift.kinds & set(about)))
        if not drift.begun:
            return
        drift.events += 1
        ranks = [rank for kind in drift.kinds if (rank := _rank(profile, self._name(kind)))]
        if ranks and drift.there is None:
            drift.there = drift.events
        if ranks and min(ranks) == 1:
            drift.first = drift.events

    def _name(self, kind: str) -> str:
        return str(self.truth["kind_names"][kind])


def _drifts(truth: dict[str, Any]) -> Iterator[tuple[str, Drift]]:
    start = datetime.fromisoformat(truth["plan"]["start"])
    for customer, shopper in truth["shoppers"].items():
        for old, new in zip(shopper["interests"], shopper["interests"][1:], strict=False):
            since = datetime.fromisoformat(new["since"])
            known = set(old["kinds"])
            main = frozenset(
                kind for kind, weight in new["kinds"].items() if weight >= _MAIN_FROM and kind not in known
            )
            if since > start and main:
                yield customer, Drift(main, since)
                break


def _rank(profile: ProfileUpdated, label: str) -> int:
    return next((place for place, need in enumerate(profile.needs, 1) if need.label == label), 0)


async def watch(folder: Path) -> Watch:
    """Reads the whole export."""
    watched = Watch(json.loads((folder / "ground_truth.json").read_text(encoding="utf-8")))
    replay = Replay(folder, LocalModels())
    lines = (folder / "catalog.jsonl").read_text(encoding="utf-8").splitlines()
    await replay.catalog.apply(
        [message(ProductUpserted.model_validate_json(line), number) for number, line in enumerate(lines)]
    )
    states = KeyedCustomers(replay.state, replay.codec)
    clicks, chats = (
        messages(folder / "events.jsonl", "clickstream.v1"),
        messages(folder / "events.jsonl", "chat.messages.v1"),
    )
    open_: dict[str, tuple[str, ProfileUpdated]] = {}
    for each in heapq.merge(clicks, chats, key=lambda read: read.position.offset):
        for session, profile in await _take(each, states, replay):
            was = open_.get(profile.customer_id)
            if was is not None and session and was[0] != session:
                watched.visited(*was)
            if session:
                open_[profile.customer_id] = (session, profile)
            watched.moved(session, profile)
    for visit in open_.values():
        watched.visited(*visit)
    return watched


async def _take(each: Message, states: KeyedCustomers, replay: Replay) -> list[tuple[str | None, ProfileUpdated]]:
    """The profiles that one event leads to, with the visit it is of; errands are done at once."""
    session = getattr(each.event, "session_id", None)
    found: Sequence[Outgoing] = (
        await hear_chat([each])
        if each.position.topic == "chat.messages.v1"
        else await profile_behaviour([each], states, replay.ports, replay.rules)
    )
    profiles: list[tuple[str | None, ProfileUpdated]] = []
    while found:
        following: list[Outgoing] = []
        for number, outgoing in enumerate(found):
            if isinstance(outgoing.event, ProfileUpdated) and not outgoing.event.merged_into:
                profiles.append((session, outgoing.event))
            elif outgoing.topic == "profiler.inbox.v1":
                errand = message(outgoing.event, each.position.offset * 100 + number, event_id=outgoing.event_id)
                following += await profile_behaviour([errand], states, replay.ports, replay.rules)
        found = following
    return profiles


def rows(watched: Watch) -> list[Row]:
    return [
        _ranked("rank of the visit's interest, after the visit", watched.ranks),
        _ranked("rank of the visit before's interest, when another followed", watched.before),
        _counted(
            "events until a new taste is a need", [drift.there for drift in watched.drifts.values() if drift.begun]
        ),
        _counted("events until it is the strongest", [drift.first for drift in watched.drifts.values() if drift.begun]),
    ]


def _ranked(name: str, ranks: Sequence[int]) -> Row:
    there = [rank for rank in ranks if rank]
    shares = {f"top {most}": sum(0 < rank <= most for rank in ranks) / len(ranks) for most in (1, 3, 8)}
    return {
        "what": name,
        "count": len(ranks),
        "median": statistics.median(there),
        "mean": statistics.fmean(there),
        **shares,
    }


def _counted(name: str, counts: Sequence[int | None]) -> Row:
    there = [count for count in counts if count is not None]
    low, high = _interval(there)
    return {
        "what": name,
        "count": len(counts),
        "median": statistics.median(there),
        "mean": statistics.fmean(there),
        "mean from": low,
        "mean to": high,
        "p90": percentile(there, 0.9),
        "never": len(counts) - len(there),
    }


def _interval(counts: Sequence[int]) -> tuple[float, float]:
    """95 % of the mean."""
    draws = np.random.default_rng(0).choice(np.array(counts), (_DRAWS, len(counts))).mean(axis=1)
    low, high = np.percentile(draws, (2.5, 97.5))
    return float(low), float(high)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shop", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if not (given.shop / "ground_truth.json").exists():
        raise SystemExit(
            f"{given.shop} holds no exported shop: ./rapport demo export --out {given.shop} --days 30 --seed 3"
        )
    report(__doc__ or "", rows(asyncio.run(watch(given.shop))), given.json)
