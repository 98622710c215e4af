"""Propensity to buy: P(order in the rest of the session) and P(order within seven days), learned as outcomes come in.

Sessions are known by the shop's session id where it has one, so that a visitor who signs in half way stays one visitor.
With several replicas each learns from its own partitions; `shared` joins them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rapport.bus.messages import Outgoing
from rapport.events.profiles import Propensity
from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.explanation import Breakdown, Contribution
from services.profiler.domain.observation import Observation
from services.profiler.learning.contributions import heaviest_first, packed, unpacked
from services.profiler.learning.features import BEHAVIOUR, DIMENSIONS, PROJECTED, features
from services.profiler.learning.logistic import OnlineLogistic, Rows
from services.profiler.learning.pending import Example, Pending
from services.profiler.learning.visits import count_visit
from services.profiler.learning.watermark import Watermark
from services.profiler.observers import Observer, Served, Touched

INPUTS = "propensity"
"""Under which what it looked at is kept: `features`."""
WEEK_MS = 7 * 86_400_000
# Learned in one step: enough examples for a steady gradient and a calibration that does not jump.
_BATCH = 128
# Before so many of either outcome a probability would be a guess with decimals.
_LEAST_OUTCOMES = 20
# Visitors that wait: some 20 moments of 300 bytes each at most, so a gigabyte at the very worst, 50 MB as a rule.
_CAPACITY = 50_000


class Learner:
    """One model and the examples on their way to it."""

    def __init__(self, wait_ms: int, *, moving: bool) -> None:
        self.model = OnlineLogistic.untaught(DIMENSIONS)
        self.pending = Pending(wait_ms, _CAPACITY, moving=moving)
        self._ready: list[Example] = []

    @property
    def taught(self) -> bool:
        """Whether it has seen enough to be asked."""
        return min(self.model.positives, self.model.count - self.model.positives) >= _LEAST_OUTCOMES

    def advance(self, now: int) -> None:
        """Learns from what is due at `now`, a batch at a time."""
        self._ready += self.pending.due(now)
        while len(self._ready) >= _BATCH:
            batch, self._ready = self._ready[:_BATCH], self._ready[_BATCH:]
            inputs, outcomes = zip(*batch, strict=True)
            self.model.learn(np.array(inputs), np.array(outcomes))


class PropensityObserver(Observer):
    """Its models are not part of any customer's state: they say what the profile shows, not what it remembers.

    Of a session every event is a moment to learn from, also when several come in one batch: after a standstill, the
    ends of batches would show carts that were bought already, and the model would learn that nobody buys.
    """

    def __init__(self, session_gap_ms: int, horizon_ms: int = WEEK_MS) -> None:
        self.session = Learner(session_gap_ms, moving=True)
        self.week = Learner(horizon_ms, moving=False)
        self._watermark = Watermark()
        self._said: dict[int, Propensity | None] = {}
        self._rows: dict[int, list[float]] = {}

    def see(self, customer: Customer, seen: Observation, insight: Insight | None) -> None:
        """A repeated batch notes the same moments once more, which changes nothing."""
        del insight
        visit, session, ordered = count_visit(customer, seen), customer.session.session_id, customer.value.last_order_at
        if ordered is not None and visit.orders:
            self.session.pending.ordered(session, ordered)
        self.session.pending.note(session, customer.last_seen_at, features(customer))

    def look(self, customers: Sequence[Customer]) -> None:
        present = [customer for customer in customers if not customer.merged_into]
        rows = [features(customer) for customer in present]
        said = self._propensities(np.array(rows)) if rows else []
        self._rows = {id(customer): row for customer, row in zip(present, rows, strict=True)}
        self._said = {id(customer): one for customer, one in zip(present, said, strict=True)}

    def finish(self, touched: Sequence[Touched]) -> Sequence[Outgoing]:
        """Learns from what has become known. A repeated batch changes nothing."""
        self._follow(touched)
        newest: dict[int, int] = {}
        for each in touched:
            if not each.acted or each.customer.merged_into:
                continue
            self._note(each, self._rows[id(each.customer)])
            partition, at = each.last.position.partition, each.customer.last_seen_at
            newest[partition] = max(at, newest.get(partition, 0))
        if newest:
            now = self._watermark.advance(newest)
            self.session.advance(now)
            self.week.advance(now)
        return ()

    def describe(self, customer: Customer) -> Mapping[str, Any]:
        return {"propensity": self._said.pop(id(customer), None)}

    def inputs(self, customer: Customer) -> Mapping[str, bytes]:
        row = self._rows.pop(id(customer), None)
        return {} if row is None else {INPUTS: packed(row)}

    def explain(self, subject: str, served: Served) -> Breakdown | None:
        learner = {"propensity:session": self.session, "propensity:week": self.week}.get(subject)
        row = unpacked(served.backing.inputs.get(INPUTS, b""))
        if learner is None or not learner.taught or len(row) != DIMENSIONS:
            return None
        amounts, base = learner.model.contributions(row)
        parts = [
            Contribution(name, value, amount)
            for name, value, amount in zip(BEHAVIOUR, row.tolist(), amounts.tolist(), strict=False)
        ]
        interest = Contribution("interest", float(np.linalg.norm(row[-PROJECTED:])), float(amounts[-PROJECTED:].sum()))
        name = f"{subject.partition(':')[2]}@{learner.model.count:.0f}"
        return Breakdown("log-odds", base, heaviest_first([*parts, interest]), name)

    def _follow(self, touched: Sequence[Touched]) -> None:
        """Moments of who is somebody else by now wait for that one's orders, as far as this process hears of them."""
        for each in touched:
            known_as = each.customer.merged_into
            if known_as:
                self.week.pending.rename(f"{each.tenant}|{each.customer_id}", f"{each.tenant}|{known_as}")

    def _note(self, each: Touched, row: list[float]) -> None:
        customer, who = each.customer, f"{each.tenant}|{each.customer_id}"
        if customer.value.last_order_at is not None:
            self.week.pending.ordered(who, customer.value.last_order_at)
        self.week.pending.note(who, customer.last_seen_at, row)

    def _propensities(self, inputs: Rows) -> list[Propensity | None]:
        """For inputs [n, d]; None while there is nothing to go by."""
        if not self.session.taught:
            return [None] * len(inputs)
        session = self.session.model.probabilities(inputs).tolist()
        week = self.week.model.probabilities(inputs).tolist() if self.week.taught else [None] * len(inputs)
        name = f"session@{self.session.model.count:.0f}"
        return [Propensity(session=one, week=other, model=name) for one, other in zip(session, week, strict=True)]
