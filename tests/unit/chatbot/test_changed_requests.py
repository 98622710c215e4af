"""A customer who corrects, takes back, points back to what was said, and asks for several things at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapport.events.catalog import ProductUpserted
from rapport.events.chat import ChatReply
from rapport.events.orders import OrderActionRequested, OrderLine, OrderUpdated
from rapport.testing.events import BEGIN, received
from tests.unit.chatbot.conftest import Bot, order
from tests.unit.chatbot.test_flows import SHOE, Talk, commands, shopper


async def after(bot: Bot, *texts: str, conversation_id: str = "t-1") -> tuple[ChatReply, list[OrderActionRequested]]:
    """The last reply of a conversation, and the commands that went with it."""
    talk = Talk(bot, conversation_id)
    for text in texts:
        reply, outgoings = await talk.say(text)
    return reply, commands(outgoings)


async def test_a_correction_names_the_thing_and_is_no_reason(bot: Bot) -> None:
    shopper(bot)
    reply, _ = await after(bot, "I want to return the lamp from RX-1", "no, the shoes")
    assert (reply.asks, reply.state and reply.state["active"]["slots"]["items"]) == ("reason", ["p-1"])


async def test_another_request_takes_over_what_the_one_that_it_replaces_was_about(bot: Bot) -> None:
    shopper(bot)
    texts = ("I want to return the shoes", "too small", "actually, I want to exchange them instead", "size 43", "yes")
    reply, [command] = await after(bot, *texts)
    assert (reply.action, command.action, command.product_ids, command.reason) == (
        "act", "exchange", ("p-1",), "too_small",
    )  # fmt: skip
    assert (reply.state or {}).get("waiting") is None


@pytest.mark.parametrize(
    "said", ["please don't cancel my order", "I do not want to cancel order RX-2", "不要取消我的订单"]
)
async def test_what_is_said_not_to_be_wanted_is_not_begun(said: str, bot: Bot) -> None:
    shopper(bot)
    reply, _ = await after(bot, said)
    assert (reply.action, reply.flow, (reply.state or {}).get("active")) == ("ask", None, None)


async def test_a_new_address_at_the_confirmation_takes_the_old_ones_place(bot: Bot) -> None:
    shopper(bot)
    texts = ("change the address of RX-2 to Main Street 5, 50667 Köln", "no, Main Street 7, 50667 Köln", "yes")
    _, [command] = await after(bot, *texts)
    assert command.details == {"address": "Main Street 7, 50667 Köln"}


@pytest.mark.parametrize("said", ["yes but only if it is free", "yes, unless it has left", "好的，但是我想再看看"])
async def test_a_yes_with_a_condition_sets_nothing_off(said: str, bot: Bot) -> None:
    shopper(bot)
    reply, sent = await after(bot, "cancel order RX-2", said)
    assert (reply.state and reply.state["active"]["confirming"], sent) == (True, [])


async def test_a_postcode_is_no_order_number(bot: Bot) -> None:
    shopper(bot)
    reply, _ = await after(bot, "change the address of my order, new address: Ring 3, 10827 Berlin")
    assert (reply.action, "did not find" in reply.text) == ("confirm", False)


async def test_the_order_just_spoken_of_is_meant(bot: Bot) -> None:
    shopper(bot)
    bot.book.orders.append(order("RX-3", status="paid", placed_at=BEGIN + timedelta(days=1), lines=(SHOE,)))
    reply, _ = await after(bot, "where is RX-2", "cancel it")
    assert (reply.action, reply.order_id) == ("confirm", "RX-2")


async def test_goods_of_several_orders_are_done_in_turn(bot: Bot) -> None:
    shopper(bot)
    rug = OrderLine(product_id="p-4", name="Wool rug", price="80")
    bot.book.orders.append(order("RX-3", status="delivered", updated_at=BEGIN - timedelta(days=3), lines=(rug,)))
    reply, [command] = await after(bot, "I want to return the shoes and the rug, they are damaged", "yes")
    assert (command.order_id, command.product_ids) == ("RX-1", ("p-1",))
    assert (reply.state and reply.state["active"]["slots"]["order"]) == "RX-3"


def variant(product_id: str, title: str, price: str, **attributes: str) -> ProductUpserted:
    fields = {"group_id": title, "title": {"en": title}, "price": price, "stock": 2, "attributes": attributes}
    return ProductUpserted.model_validate({"product_id": product_id} | fields)


async def wardrobe(bot: Bot) -> None:
    """A blue tee and a brown hat came two days ago; both are there in red."""
    goods = [(kind, colour) for kind, own in (("tee", "blue"), ("hat", "brown")) for colour in (own, "red", "black")]
    await bot.catalog.apply(received(*(variant(f"{kind}-{one}", kind, "25", colour=one) for kind, one in goods)))
    lines = tuple(
        OrderLine(product_id=f"{kind}-{colour}", name=kind, price="20")
        for kind, colour in (("tee", "blue"), ("hat", "brown"))
    )
    bot.book.orders = [order("RX-1", status="delivered", updated_at=BEGIN - timedelta(days=2), lines=lines)]


async def test_the_same_thing_again_is_a_replacement_without_a_price(bot: Bot) -> None:
    await wardrobe(bot)
    reply, [command] = await after(bot, "I want to exchange my tee for the same one, it is torn", "yes")
    assert "charged" not in reply.text
    assert [(one.product_id, one.new_product_id) for one in command.exchanges] == [("tee-blue", "tee-blue")]


async def test_a_corrected_wish_leaves_the_other_items_in_the_exchange(bot: Bot) -> None:
    await wardrobe(bot)
    texts = ("exchange the tee for a red one and the hat for a red one", "no, the hat for a black one", "yes")
    _, [command] = await after(bot, *texts)
    assert [(one.product_id, one.new_product_id) for one in command.exchanges] == [
        ("tee-blue", "tee-red"),
        ("hat-brown", "hat-black"),
    ]


async def test_an_even_exchange_asks_for_no_payment_method(bot: Bot) -> None:
    await wardrobe(bot)
    methods = [{"id": "pp", "kind": "paypal"}, {"id": "cc", "kind": "credit_card"}]
    told = bot.book.orders[0].model_dump() | {"payment_methods": methods, "payment_method": "cc"}
    bot.book.orders = [OrderUpdated.model_validate(told)]
    reply, _ = await after(bot, "exchange the tee for a red one")
    assert (reply.asks, reply.choices) == ("refund_to", ("paypal", "credit card"))
    reply, _ = await after(bot, "exchange the tee for the same one", "yes", conversation_id="t-2")
    assert reply.action == "act"
