"""Order numbers in texts, and orders in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.chatbot.domain.entities.order_numbers import mentions
from services.chatbot.domain.orders import Own, status
from services.chatbot.domain.phrases import Phrases
from tests.unit.chatbot.conftest import order

OWN = Own((order("ORD-10423"), order("demo-7f3a"), order("88123456")))
PHRASES = Phrases.load()


@pytest.mark.parametrize(
    ("text", "own", "unknown"),
    [
        ("where is ORD-10423?", ["ORD-10423"], ()),
        ("where is ord-10423 and 88123456", ["ORD-10423", "88123456"], ()),
        ("订单10423到哪了", ["ORD-10423"], ()),
        ("订单号：８８１２３４５６", ["88123456"], ()),
        ("demo-7f3a", ["demo-7f3a"], ()),
        ("ORD-104239", [], ("ORD-104239",)),
        ("where is my order RX-9?", [], ("RX-9",)),
        ("订单号：A77在哪", [], ("A77",)),
        ("can I order 20 more by 2026", [], ()),
        ("is #99887 mine", [], ("99887",)),
        ("I am 180 cm and want 2 of size 41.5 for €1,299.00", [], ()),
        ("the WH-1000XM4 headphones", [], ("WH-1000XM4",)),
        ("nothing here", [], ()),
    ],
)
def test_numbers_in_a_text(text: str, own: list[str], unknown: tuple[str, ...]) -> None:
    found = mentions(text, OWN.orders)
    assert [one.order_id for one in found.own] == own
    assert found.unknown == unknown


def test_a_shipped_order_tells_carrier_and_day_and_a_delivered_one_does_not() -> None:
    expected = datetime(2026, 3, 9, tzinfo=UTC)
    shipped = order("R-1", carrier="Volt", tracking_number="T9", expected_at=expected)
    told = status(Own((shipped,)), mentions("", OWN.orders), PHRASES, "en").text
    assert told == (
        "Your order R-1 of 5 March 2026 is on its way to you (as of 5 March 2026). "
        "It travels with Volt, tracking number T9. It should arrive on 9 March 2026."
    )
    delivered = shipped.model_copy(update={"status": "delivered"})
    told = status(Own((delivered,)), mentions("", OWN.orders), PHRASES, "zh").text
    assert told == "您2026年3月5日下的订单 R-1 已送达（更新于2026年3月5日）。"


def test_every_status_has_words_in_both_languages() -> None:
    for name in order("R-1").__class__.model_fields["status"].annotation.__args__:  # type: ignore[union-attr]
        for language in ("en", "zh"):
            draft = status(Own((order("R-1", status=name),)), mentions("", OWN.orders), PHRASES, language)
            assert "R-1" in draft.text


def test_no_orders_and_several_orders() -> None:
    assert status(Own(), mentions("", ()), PHRASES, "en").action == "ask"
    several = status(OWN, mentions("", OWN.orders), PHRASES, "en")
    assert "latest of your 3 orders" in several.text
    assert several.offer == "order_number"
