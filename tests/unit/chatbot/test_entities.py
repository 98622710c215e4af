"""Order numbers, days, amounts and reasons that a message names."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.chatbot.domain.entities import Entities, find
from services.chatbot.domain.entities.amounts import limit_in
from tests.unit.chatbot.conftest import FLOWS, order

TODAY = date(2026, 11, 22)  # a Sunday
OWN = (order("RX-100123"), order("RX-100999"))


def found(text: str) -> Entities:
    return find(text, OWN, FLOWS.reasons, TODAY)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("I ordered it last Tuesday", ["2026-11-17"]),
        ("it came on 3 November", ["2026-11-03"]),
        ("bought December 24th", ["2025-12-24"]),
        ("on 2026-11-02", ["2026-11-02"]),
        ("two weeks ago", ["2026-11-08"]),
        ("yesterday", ["2026-11-21"]),
        ("我昨天收到的", ["2026-11-21"]),
        ("11月3日下单的", ["2026-11-03"]),
        ("上周二买的", ["2026-11-10"]),
        ("三天前买的", ["2026-11-19"]),
        ("on 31 June", []),
        ("order 1043 may be late", []),
    ],
)
def test_days(text: str, days: list[str]) -> None:
    assert [day.isoformat() for day in found(text).days] == days


@pytest.mark.parametrize(
    ("text", "own", "unknown"),
    [
        ("where is rx100123", ["RX-100123"], ()),
        ("where is RX-100132", ["RX-100123"], ()),  # two digits changed places
        ("where is RX-10099", ["RX-100999"], ()),  # one left out
        ("where is RX-100124", [], ("RX-100124",)),  # another digit is another order
        ("cancel #55801", [], ("55801",)),
        ("it cost €1299.00 in 2 parts", [], ()),
        ("我的订单RX-100999到哪了", ["RX-100999"], ()),
        ("order 20481, bought 2026-11-02", [], ("20481",)),
    ],
)
def test_order_numbers(text: str, own: list[str], unknown: tuple[str, ...]) -> None:
    numbers = found(text).numbers
    assert ([one.order_id for one in numbers.own], numbers.unknown) == (own, unknown)


def test_a_mistyped_number_that_could_be_two_orders_is_nobodys() -> None:
    own = (order("RX-100213"), order("RX-101023"))
    assert find("where is RX-100123", own, {}, TODAY).numbers.own == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("the boots are too small", "too_small"),
        ("鞋子太大了", "too_large"),
        ("the vase came in pieces", "damaged"),
        ("it stopped working after a day", "damaged"),
        ("you sent the wrong colour", "wrong_item"),
        ("发错货了", "wrong_item"),
        ("I changed my mind", "changed_mind"),
        ("不想要了", "changed_mind"),
    ],
)
def test_reasons(text: str, reason: str) -> None:
    assert reason in found(text).reasons


def test_amounts() -> None:
    assert found("you charged €12,50 too much").amounts == (Decimal("12.50"),)
    assert found("多收了30块").amounts == (Decimal(30),)
    assert limit_in("shoes under €80") == limit_in("80元以下的鞋") == Decimal(80)
