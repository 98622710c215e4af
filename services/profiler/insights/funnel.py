"""Funnel drops and surges, by device and campaign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.profiler.domain.observation import Stage
from services.profiler.insights.buckets import HOUR_MS, Buckets
from services.profiler.insights.finding import SURE, Finding, Windows, percent, proportion_differs, rate_differs

_STEPS = ((Stage.CONSIDER, Stage.CART), (Stage.CART, Stage.CHECKOUT), (Stage.CHECKOUT, Stage.PURCHASE))
_REACHED = {
    Stage.CONSIDER: "looked at a product",
    Stage.CART: "filled a cart",
    Stage.CHECKOUT: "went to the checkout",
    Stage.PURCHASE: "ordered",
}
# Sessions at a step on either side, and the relative change that somebody would act on.
_LEAST_SESSIONS, _LEAST_CHANGE = 15, 0.25
# With less of the present traffic than this in the time before, the shop has just opened, or its past was imported.
_OPENED = 0.1
_LEAST_SURGE, _SURGE = 20, 1.8
# Orders are few, so a drop is told a little earlier than other findings.
_SURE_OF_A_DROP = 0.999
# Of what is left over, a part of the shop must lose so much more than the whole.
_WORSE = 0.3
Slice = tuple[str, str]
"""What it is cut by, and the value: ("device", "mobile"); ("all", "")."""
_ALL: Slice = ("all", "")
Reached = tuple[Slice, int]
"""A slice, and a stage of the funnel that sessions in it came to."""


@dataclass(slots=True)
class _Open:
    at: int
    last_at: int
    device: str
    campaign: str
    stage: int
    last_event_id: str


@dataclass(frozen=True, slots=True)
class _Counts:
    """Sessions that came to a stage: now, in the time before, and in the last part of it, as long as now."""

    now: Mapping[Reached, int]
    before: Mapping[Reached, int]
    last: Mapping[Reached, int]
    hours_before: float

    def growth(self, hours: float) -> float:
        """How many times as many sessions as before there are in all: parts of the shop are held against it."""
        usual = self.before.get((_ALL, 0), 0) / self.hours_before * hours
        return max(1.0, self.now.get((_ALL, 0), 0) / usual) if usual else 1.0


class Funnel:
    """Sessions as they go; a session counts once it is over."""

    def __init__(self, gap_ms: int) -> None:
        self._gap_ms = gap_ms
        self._open: dict[str, _Open] = {}
        self._reached: Buckets[Reached] = Buckets()
        self._stopped: Buckets[Reached] = Buckets()

    def see(self, session: str, at: int, stage: int, device: str, campaign: str, event_id: str) -> None:
        """One event of `session` (the shop's id, or the visitor's)."""
        found = self._open.get(session)
        if found is not None and at - found.last_at > self._gap_ms:
            self._close(found)
            found = None
        if found is None:
            self._open[session] = _Open(at, at, device, campaign, stage, event_id)
            return
        found.last_at, found.last_event_id = max(found.last_at, at), event_id
        found.stage = max(found.stage, stage)
        found.device, found.campaign = found.device or device, found.campaign or campaign

    def close(self, now: int) -> None:
        """Counts the sessions that are over at `now`."""
        for name in [name for name, found in self._open.items() if now - found.last_at > self._gap_ms]:
            self._close(self._open.pop(name))

    def forget(self, before: int) -> None:
        self._reached.forget(before)
        self._stopped.forget(before)

    def findings(self, windows: Windows) -> Iterator[Finding]:
        """What has changed against the time before."""
        first = self._reached.first()
        # Less history than one window would compare the night with the morning.
        if first is None or windows.start - max(first, windows.before) < windows.recent_ms:
            return
        counts = _Counts(
            self._reached.totals(windows.start, windows.until),
            self._reached.totals(windows.before, windows.start),
            self._reached.totals(windows.start - windows.recent_ms, windows.start),
            (windows.start - max(first, windows.before)) / HOUR_MS,
        )
        hours = windows.recent_ms / HOUR_MS
        usual = counts.before.get((_ALL, 0), 0) / counts.hours_before * hours
        if usual < _OPENED * counts.now.get((_ALL, 0), 0):
            return
        drops: dict[int, Finding] = {}
        for cut in sorted({cut for cut, _ in [*counts.now, *counts.before]}, key=lambda cut: (cut != _ALL, cut)):
            for step, found in self._drops(cut, counts, windows):
                whole = drops.get(step)
                if cut == _ALL:
                    drops[step] = found
                # What holds for the whole shop is told once; a part of it only where it is much worse off.
                if whole is None or found.size > whole.size + _WORSE * (1 - whole.size):
                    yield found
            surge = self._surge(cut, counts, windows)
            if surge is not None:
                yield surge

    def _close(self, session: _Open) -> None:
        cuts: list[Slice] = [_ALL]
        cuts += [(name, value) for name, value in (("device", session.device), ("campaign", session.campaign)) if value]
        for cut in cuts:
            for stage in range(session.stage + 1):
                self._reached.add((cut, stage), session.at)
            self._stopped.add((cut, session.stage), session.at, session.last_event_id)

    def _drops(self, cut: Slice, counts: _Counts, windows: Windows) -> Iterator[tuple[int, Finding]]:
        now, before = counts.now, counts.before
        for step, following in _STEPS:
            tries, hits = now.get((cut, step), 0), now.get((cut, following), 0)
            tries_before, hits_before = before.get((cut, step), 0), before.get((cut, following), 0)
            if min(tries, tries_before) < _LEAST_SESSIONS or not hits_before:
                continue
            share, usual = hits / tries, hits_before / tries_before
            sure = proportion_differs(hits, tries, hits_before, tries_before)
            if share > (1 - _LEAST_CHANGE) * usual or sure < _SURE_OF_A_DROP:
                continue
            who = _who(cut)
            yield (
                step,
                Finding(
                    "funnel_drop",
                    f"funnel:{_name(cut)}:{following.name.lower()}",
                    f"Of the sessions {who}that {_REACHED[step]} only {percent(share)} {_REACHED[following]}, "
                    f"{percent(usual)} before.",
                    round(1 - share / usual, 3),
                    sure,
                    windows.start,
                    windows.now,
                    self._stopped.evidence((cut, step)),
                    {
                        "sessions": tries,
                        "share": round(share, 4),
                        "share_before": round(usual, 4),
                        "unit": "part lost",
                    },
                    -1,
                ),
            )

    def _surge(self, cut: Slice, counts: _Counts, windows: Windows) -> Finding | None:
        hours = windows.recent_ms / HOUR_MS
        if counts.hours_before < 2 * hours:
            return None  # of a shop that has just opened everything grows
        count, count_before = counts.now.get((cut, 0), 0), counts.before.get((cut, 0), 0)
        growth = 1.0 if cut == _ALL else counts.growth(hours)
        usual = growth * count_before / counts.hours_before * hours
        last = growth * counts.last.get((cut, 0), 0)
        sure = rate_differs(count, hours, round(growth * count_before), counts.hours_before)
        # Against the mean of the time before, and against its last part: a shop that grows steadily does not surge.
        if count < max(_LEAST_SURGE, _SURGE * usual, _SURGE * last) or sure < SURE:
            return None
        return Finding(
            "traffic_surge",
            f"traffic:{_name(cut)}",
            f"{count} sessions {_who(cut)}came, where {usual:.0f} would be usual.",
            round(count / max(usual, 1.0), 2),
            sure,
            windows.start,
            windows.now,
            self._stopped.evidence((cut, Stage.BROWSE)) or self._stopped.evidence((cut, Stage.CONSIDER)),
            {"sessions": count, "usual": round(usual, 1), "unit": "times as many"},
            1,
        )


def _name(cut: Slice) -> str:
    return f"{cut[0]}={cut[1]}" if cut[1] else "all"


def _who(cut: Slice) -> str:
    kind, value = cut
    return {"device": f"on {value} ", "campaign": f"from {value} "}.get(kind, "")
