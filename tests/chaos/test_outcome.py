"""The comparison itself: what is exact passes, and a single event too few or too many is seen."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from rapport.events.profiles import ProfileUpdated
from tests.chaos import outcome
from tests.chaos.ledger import Ledger
from tests.chaos.load import everything
from tests.e2e.shopfront import Read

AT = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.fixture
def ledger() -> Ledger:
    """A few seconds of load."""
    made = Ledger("run", AT)
    for step in islice(everything(made), 600):
        for event, payload in step:
            made.note(event, payload)
    return made


def published(ledger: Ledger) -> list[Read]:
    """The last profile of everybody, as it ought to be."""
    return [profile(ledger, customer, events) for customer, events in ledger.events.items()]


def profile(ledger: Ledger, customer: str, events: int) -> Read:
    value = {"order_count": ledger.orders[customer]}
    if ledger.orders[customer]:
        value |= {"revenue": str(ledger.revenue(customer)), "currency": "EUR"}  # type: ignore[dict-item]
    session = {"session_id": "s", "started_at": AT, "last_event_at": AT, "event_count": 1, "session_count": 1}
    made = ProfileUpdated.model_validate(
        {
            "customer_id": customer,
            "revision": events,
            "first_seen_at": AT,
            "last_seen_at": AT,
            "event_count": events,
            "value": value,
            "session": session | {"funnel_stage": "browse"},
        }
    )
    return Read(customer, made.model_dump(mode="json", exclude_none=True), {"ce_id": f"{customer}-{events}"}, 0)


def test_every_customer_orders_and_everything_is_sent(ledger: Ledger) -> None:
    assert ledger.events.total() >= 600
    assert all((ledger.orders.total(), ledger.titles, ledger.messages, ledger.briefs, ledger.order_states))
    # Two products that a customer has both of go together, once for each such customer and twice for each order.
    one, other, *_ = ledger.products_of(0)
    assert ledger.tie(one, other) >= 1
    assert ledger.tie(one, other) == ledger.tie(other, one)


def test_what_is_exact_passes(ledger: Ledger) -> None:
    assert list(outcome.profiles(ledger, published(ledger))) == []


@pytest.mark.parametrize("off", [-1, 1])
def test_one_event_too_few_or_too_many_is_seen(off: int, ledger: Ledger) -> None:
    reads = published(ledger)
    customer = reads[7].key
    reads[7] = profile(ledger, customer, ledger.events[customer] + off)
    (problem,) = outcome.profiles(ledger, reads)
    assert problem.startswith(customer)


def test_a_message_that_is_there_twice_is_seen(ledger: Ledger) -> None:
    reads = published(ledger)
    assert len(list(outcome.profiles(ledger, [*reads, reads[3]]))) == 1


def test_a_missing_and_a_second_answer_are_seen(ledger: Ledger) -> None:
    messages = sorted(ledger.messages)
    replies = [Read("c", {"in_reply_to": message}, {"ce_id": message}, 0) for message in messages]
    copies = [Read(brief, {}, {"ce_id": brief}, 0) for brief in sorted(ledger.briefs)]
    topics = {"chat.replies.v1": [*replies[1:], replies[2]], "content.published.v1": copies, "recommendations.v1": []}
    problems = [problem for problem in outcome.outputs(ledger, topics) if "no recommendation" not in problem]
    assert problems == [f"{messages[0]}: 0 replies", f"{messages[2]}: 2 replies"]
