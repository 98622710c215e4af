"""Orders, days, amounts, reasons and contacts that a message names."""

from __future__ import annotations

from datetime import date

import pytest

from services.chatbot.understanding.entities import Entities
from tests.unit.chatbot.conftest import order

ENTITIES = Entities.load()
TODAY = date(2026, 11, 22)  # a Sunday
OWN = (order("RX-100123"), order("RX-100999"))


def found(text: str, kind: str) -> list[str]:
    return [entity.value for entity in ENTITIES.find(text, OWN, TODAY) if entity.kind == kind]


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
    assert found(text, "date") == days


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("where is rx100123", ["RX-100123"]),
        ("where is RX-100132", ["RX-100123"]),  # two digits changed places
        ("cancel #55801", ["55801"]),
        ("it cost €1299.00 in 2 parts", []),
        ("我的订单RX-100999到哪了", ["RX-100999"]),
        ("order 20481, bought 2026-11-02", ["20481"]),
    ],
)
def test_order_numbers(text: str, numbers: list[str]) -> None:
    assert found(text, "order_number") == numbers


def test_a_mistyped_number_that_could_be_two_orders_is_nobodys() -> None:
    own = (order("RX-100121"), order("RX-100122"))
    values = [entity.value for entity in ENTITIES.find("where is RX-100123", own, TODAY)]
    assert values == ["RX-100123"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("the boots are too small", "wrong_size"),
        ("鞋子太大了", "wrong_size"),
        ("the vase came in pieces", "damaged"),
        ("it stopped working after a day", "defective"),
        ("you sent the wrong colour", "wrong_item"),
        ("发错货了", "wrong_item"),
        ("I changed my mind", "changed_mind"),
        ("不想要了", "changed_mind"),
    ],
)
def test_reasons(text: str, reason: str) -> None:
    assert reason in found(text, "reason")


def test_amounts_and_contacts() -> None:
    assert found("you charged €12,50 too much", "amount") == ["12.50"]
    assert found("多收了30块", "amount") == ["30"]
    assert found("write to a.b@example.org or +49 30 901820", "contact") == ["a.b@example.org", "+4930901820"]
