"""Views, clicks and orders become exposures and outcomes, once each, under whichever id of the customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from rapport.bus.messages import Message, Outgoing, Position
from rapport.events.behaviour import Behaviour, ContentClicked, ContentShown, Identify, OrderCompleted
from rapport.events.envelope import Envelope
from rapport.events.experiments import ExperimentOutcome, ExperimentViewed
from rapport.testing import MemoryKeyedState
from services.content.handlers.outcomes import INBOX, OutcomeHandlers

from .test_briefs import message
from .test_experiments import T0, X, running

KNOWN: dict[str, Any] = {"customer_id": "c-1"}
VISITOR: dict[str, Any] = {"anonymous_id": "a-1"}


def shown(variant: str = "a", hours: float = 0, **who: Any) -> ContentShown:
    return ContentShown(**(who or KNOWN), content_id=X, variant=variant, occurred_at=T0 + timedelta(hours=hours))


def clicked(variant: str = "a", hours: float = 1, **who: Any) -> ContentClicked:
    return ContentClicked(**(who or KNOWN), content_id=X, variant=variant, occurred_at=T0 + timedelta(hours=hours))


def identified(hours: float = 2, customer: str = "c-1") -> Identify:
    return Identify(customer_id=customer, anonymous_id="a-1", occurred_at=T0 + timedelta(hours=hours))


def bought(product: str, hours: float, **who: Any) -> OrderCompleted:
    return OrderCompleted.model_validate(
        {**(who or KNOWN), "order_id": "o-1", "total": "20", "currency": "EUR",
         "products": [{"product_id": product}], "occurred_at": T0 + timedelta(hours=hours)}
    )  # fmt: skip


@dataclass
class Log:
    """The stream with the inbox beside it. `late`: what was written to the inbox is read after all of the stream."""

    service: OutcomeHandlers
    late: bool = False
    state: MemoryKeyedState = field(default_factory=MemoryKeyedState)
    written: list[Outgoing] = field(default_factory=list)
    _inbox: list[Outgoing] = field(default_factory=list)
    _offset: int = 0

    async def read(self, *events: Behaviour) -> list[str]:
        """Topics that were written to, the inbox apart."""
        for event in events:
            await self._handle(message(event, event.subject, self._next()))
            if not self.late:
                await self.deliver()
        await self.deliver()
        return [each.topic for each in self.written]

    async def deliver(self) -> None:
        while self._inbox:
            each = self._inbox.pop(0)
            envelope = Envelope(each.event_id, each.event.ce_type() if each.event else "", "/tests", T0, "default")
            await self._handle(Message(each.event, envelope, each.key, Position(INBOX, 0, self._next()), 0))

    async def _handle(self, heard: Message) -> None:
        made = list(await self.service.on_behaviour([heard], self.state))
        self._inbox += [each for each in made if each.topic == INBOX]
        self.written += [each for each in made if each.topic != INBOX]

    def _next(self) -> int:
        self._offset += 1
        return self._offset


async def log(*, late: bool = False, **plan: Any) -> Log:
    own = await running(**plan)
    return Log(OutcomeHandlers(own.board, own.people), late)


async def test_a_view_and_a_click_in_time_count_once_each() -> None:
    own = await log()
    assert await own.read(shown(), shown(), clicked(), clicked()) == ["exposures.v1", "outcomes.v1"]
    outcome = own.written[1].event
    assert isinstance(outcome, ExperimentOutcome)
    assert (outcome.viewed_at, outcome.viewed_as) == (T0, None)


async def test_the_same_messages_again_change_nothing() -> None:
    own = await log()
    batch = [message(event, "c-1", at) for at, event in enumerate((shown(), clicked()))]
    assert len(await own.service.on_behaviour(batch, own.state)) == 2
    assert await own.service.on_behaviour(batch, own.state) == []


@pytest.mark.parametrize(
    "events",
    [
        (clicked(),),  # never shown
        (shown(), clicked("b")),  # another variation's copy
        (shown(hours=2), clicked(hours=1)),  # before it was shown
        (shown(), clicked(hours=73)),  # after the window
    ],
)
async def test_other_clicks_do_not_count(events: Sequence[Behaviour]) -> None:
    assert "outcomes.v1" not in await (await log(window_hours=72)).read(*events)


async def test_an_order_counts_when_it_holds_a_product_of_the_copy() -> None:
    assert await (await log(metric="order")).read(shown(), bought("p-7", 5)) == ["exposures.v1"]
    made = await (await log(metric="order")).read(shown(), bought("p-1", 5), bought("p-1", 6))
    assert made == ["exposures.v1", "outcomes.v1"]


async def test_the_whole_way_from_the_stream_to_the_report_and_again_after_a_restart() -> None:
    first, own = await running(), await log()
    await own.read(shown(), clicked())
    for service in (first, await running()):
        await service.on_exposures([message(own.written[0].event, "c-1")])
        await service.on_outcomes([message(own.written[1].event, "c-1")])
        report = service.board.report("default", X)
        assert (report.arms[0].customers, report.arms[0].successes, report.arms[1].customers) == (1, 1, 0)


@pytest.mark.parametrize("late", [False, True])
async def test_an_order_after_identify_counts_for_what_the_visitor_saw(late: bool) -> None:
    own = await log(metric="order", late=late)
    made = await own.read(shown(**VISITOR), clicked(**VISITOR), identified(), bought("p-1", 3), bought("p-1", 4))
    assert sorted(made) == ["exposures.v1", "outcomes.v1", "outcomes.v1"]
    order = next(e.event for e in own.written if isinstance(e.event, ExperimentOutcome) and e.event.metric == "order")
    assert isinstance(order, ExperimentOutcome)
    assert (order.customer_id, order.viewed_as, order.variation_id, order.viewed_at) == ("c-1", "a-1", "a", T0)


async def test_an_order_that_names_both_ids_needs_no_identify() -> None:
    own = await log(metric="order", late=True)
    assert await own.read(shown(**VISITOR), bought("p-1", 3, **KNOWN, **VISITOR)) == ["exposures.v1", "outcomes.v1"]


async def test_a_click_is_not_counted_again_under_the_other_id() -> None:
    own = await log()
    made = await own.read(
        shown(**VISITOR), clicked(**VISITOR), identified(), clicked(hours=3), clicked(hours=4, **VISITOR)
    )
    assert made == ["exposures.v1", "outcomes.v1"]


async def test_of_two_views_of_one_person_the_first_counts() -> None:
    own = await log()
    await own.read(shown("a", 0, **VISITOR), shown("b", 1), identified(2), clicked("b", 3), clicked("a", 4))
    views = [e.event.variation_id for e in own.written if isinstance(e.event, ExperimentViewed)]
    clicks = [e.event.variation_id for e in own.written if isinstance(e.event, ExperimentOutcome)]
    assert (views, clicks) == (["a", "b"], ["a"])


async def test_what_comes_late_under_the_visitors_id_is_the_customers() -> None:
    own = await log(metric="order")
    made = await own.read(identified(0), shown(hours=1, **VISITOR), bought("p-1", 2))
    assert made == ["exposures.v1", "outcomes.v1"]
    assert {each.key for each in own.written} == {"c-1"}


async def test_a_shared_device_is_the_later_customers_and_the_earlier_one_keeps_what_went_there() -> None:
    own = await log(metric="order")
    await own.read(shown(**VISITOR), identified(1), identified(2, "c-2"), bought("p-1", 3, customer_id="c-2"))
    assert [each.topic for each in own.written] == ["exposures.v1"]
    await own.read(bought("p-1", 4))
    assert own.written[-1].key == "c-1"


async def test_links_that_close_a_circle_come_to_rest() -> None:
    own = await log()
    back = Identify(customer_id="a-1", anonymous_id="c-1", occurred_at=T0 + timedelta(hours=3))
    assert await own.read(shown(**VISITOR), identified(2), back, clicked(hours=4)) == ["exposures.v1", "outcomes.v1"]


async def test_a_long_gone_view_is_not_kept_for_a_customer() -> None:
    own = await log(window_hours=1)
    await own.read(shown(**VISITOR), identified(50))
    assert b"seen" not in (own.state.get("default/c-1") or b"")
