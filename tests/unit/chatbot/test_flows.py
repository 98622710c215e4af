"""Requests over several turns: slots, policy, confirmation, one command; the file that declares them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rapport.bus.messages import Outgoing
from rapport.events.chat import ChatReply, HandoffRequested
from rapport.events.orders import OrderActionRequested, OrderLine
from rapport.ops.errors import ConfigurationError, UnavailableError
from rapport.testing.events import BEGIN
from services.chatbot.flows.spec import Flows
from tests.unit.chatbot.conftest import Bot, order, says

SHOE, LAMP = (
    OrderLine(product_id="p-1", name="Trail shoes", price="129"),
    OrderLine(product_id="p-2", name="Desk lamp", price="45"),
)


def shopper(bot: Bot) -> None:
    """One order delivered five days ago with two things, one that is paid."""
    delivered = BEGIN - timedelta(days=5)
    bot.book.orders = [
        order("RX-1", status="delivered", updated_at=delivered, lines=(SHOE, LAMP), total="174", currency="EUR"),
        order("RX-2", status="paid", lines=(LAMP,), total="45", currency="EUR"),
        order("RX-9001", "c-2", status="delivered", updated_at=delivered, lines=(SHOE,)),
    ]


class Talk:
    """A conversation turn by turn, over Kafka."""

    def __init__(self, bot: Bot, conversation_id: str = "t-1") -> None:
        self.bot, self.id, self.turn = bot, conversation_id, 0

    async def say(self, text: str, **more: Any) -> tuple[ChatReply, list[Outgoing]]:
        self.turn += 1
        said = says(text, f"{self.id}-{self.turn}", conversation_id=self.id, occurred_at=BEGIN, **more)
        outgoings = await self.bot.hear(said)
        [reply] = [one.event for one in outgoings if isinstance(one.event, ChatReply)]
        return reply, outgoings


def commands(outgoings: list[Outgoing]) -> list[OrderActionRequested]:
    return [one.event for one in outgoings if isinstance(one.event, OrderActionRequested)]


async def confirmed(bot: Bot, conversation_id: str, *texts: str) -> Outgoing:
    talk = Talk(bot, conversation_id)
    for text in texts:
        _, outgoings = await talk.say(text)
    [sent] = [one for one in outgoings if isinstance(one.event, OrderActionRequested)]
    return sent


async def test_a_command_goes_out_only_after_the_yes_and_under_its_own_id(bot: Bot) -> None:
    shopper(bot)
    talk = Talk(bot)
    reply, outgoings = await talk.say("I want to return the lamp from RX-1, it is broken")
    assert (reply.action, reply.flow, commands(outgoings)) == ("confirm", "return", [])
    reply, outgoings = await talk.say("yes")
    [command] = commands(outgoings)
    assert (reply.action, reply.action_ids) == ("act", (command.action_id,))
    assert (command.order_id, command.product_ids, command.reason) == ("RX-1", ("p-2",), "damaged")
    assert command.customer_id == "c-1"
    assert [one.event_id for one in outgoings if one.topic == "orders.actions.v1"] == [command.action_id]


async def test_the_same_request_in_another_conversation_is_the_same_command(bot: Bot) -> None:
    shopper(bot)
    texts = ("I want to return the lamp from RX-1, it is broken", "yes")
    first = await confirmed(bot, "t-1", *texts)
    again = await confirmed(bot, "t-2", *texts)
    assert first.event_id == again.event_id
    other = await confirmed(bot, "t-3", "I want to return the shoes from RX-1, they are broken", "yes")
    assert other.event_id != first.event_id


async def test_what_changed_before_the_yes_counts(bot: Bot) -> None:
    shopper(bot)
    talk = Talk(bot)
    assert (await talk.say("cancel order RX-2"))[0].action == "confirm"
    bot.book.orders[1] = order("RX-2", status="shipped", lines=(LAMP,))
    reply, outgoings = await talk.say("yes")
    assert (reply.action, commands(outgoings)) == ("refuse", [])
    assert "can't be cancelled" in reply.text


@pytest.mark.parametrize("said", ["I want to return order RX-9001", "cancel RX-9001 please", "where is order RX-9001"])
async def test_somebody_elses_order_is_never_told_of(said: str, bot: Bot) -> None:
    shopper(bot)
    reply, _ = await Talk(bot).say(said)
    assert "did not find RX-9001" in reply.text
    assert "shoes" not in reply.text.casefold() or "RX-1" in reply.text
    assert "c-2" not in bot.book.asked


async def test_without_orders_at_hand_nothing_is_begun(bot: Bot) -> None:
    bot.book.down = True
    reply, _ = await Talk(bot).say("I want to return my lamp")
    assert (reply.action, "can't look at the orders" in reply.text) == ("ask", True)
    reply, _ = await Talk(bot, "t-2").say("I want to return my lamp", customer_id=None)
    assert "sign in" in reply.text


async def test_orders_away_in_the_middle_leave_the_request_as_it_is(bot: Bot) -> None:
    shopper(bot)
    talk = Talk(bot)
    await talk.say("I want to return the lamp from RX-1, it is broken")
    bot.book.down = True
    reply, outgoings = await talk.say("yes")
    assert ("can't look at the orders" in reply.text, commands(outgoings)) == (True, [])
    bot.book.down = False
    _, outgoings = await talk.say("yes")
    assert len(commands(outgoings)) == 1


async def test_several_orders_are_done_in_turn(bot: Bot) -> None:
    shopper(bot)
    bot.book.orders.append(order("RX-3", status="paid", lines=(SHOE,)))
    talk = Talk(bot)
    reply, _ = await talk.say("cancel orders RX-2 and RX-3")
    assert "RX-2" in reply.text
    reply, outgoings = await talk.say("yes")
    assert [one.order_id for one in commands(outgoings)] == ["RX-2"]
    assert "RX-3" in reply.text
    _, outgoings = await talk.say("yes")
    assert [one.order_id for one in commands(outgoings)] == ["RX-3"]


@pytest.mark.parametrize(
    "said",
    ["I want to return what came on 24 February", "I want to return the thing for €99", "我要退2月24日收到的那个"],
)
async def test_an_order_is_told_by_its_day_or_price(said: str, bot: Bot) -> None:
    shopper(bot)
    came = datetime(2026, 2, 24, 9, tzinfo=UTC)
    scarf = OrderLine(product_id="p-9", name="Scarf", price="99")
    bot.book.orders.append(order("RX-8", status="delivered", delivered_at=came, lines=(scarf,), total="99"))
    reply, _ = await Talk(bot).say(said)
    assert (reply.flow, reply.order_id) == ("return", "RX-8")


async def test_a_product_is_told_by_likeness_where_no_word_tells(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    shopper(bot)
    shoe, lamp = bot.encoder.vector("Fernhill Trail Runner 云岭越野跑鞋"), bot.encoder.vector("Desk lamp")
    plain, between = bot.encoder.vector, (shoe + lamp) / np.linalg.norm(shoe + lamp)
    meant = {"sneakers": shoe, "umbrella": between}
    monkeypatch.setattr(
        bot.encoder, "vector", lambda text: next((meant[word] for word in meant if word in text), plain(text))
    )
    reply, _ = await Talk(bot).say("I want to return the sneakers from RX-1")
    assert (reply.asks, reply.state and reply.state["active"]["slots"]["items"]) == ("reason", ["p-1"])
    reply, _ = await Talk(bot, "t-2").say("I want to return the umbrella from RX-1")
    assert reply.asks == "items"


async def test_a_request_survives_another_and_comes_back(bot: Bot) -> None:
    shopper(bot)
    talk = Talk(bot)
    assert (await talk.say("I want to return the shoes"))[0].asks == "reason"
    assert (await talk.say("cancel order RX-2"))[0].flow == "cancel"
    reply, outgoings = await talk.say("yes")
    assert [one.action for one in commands(outgoings)] == ["cancel"]
    assert (reply.asks, "Back to" in reply.text) == ("reason", True)
    assert (await talk.say("too small"))[0].action == "confirm"


async def test_the_policy_limit_calls_a_person_with_what_was_told(bot: Bot) -> None:
    bot.shop.known_needs = ("espresso",)
    delivered = BEGIN - timedelta(days=5)
    machine = OrderLine(product_id="p-3", name="Espresso machine", price="900")
    bot.book.orders = [order("RX-7", status="delivered", updated_at=delivered, lines=(machine,), total="900")]
    reply, outgoings = await Talk(bot).say("I want a refund for RX-7, it came broken")
    [handoff] = [one.event for one in outgoings if isinstance(one.event, HandoffRequested)]
    assert (reply.action, handoff.reason, handoff.order_ids) == ("handoff", "policy_limit", ("RX-7",))
    assert (handoff.needs, bool(handoff.suggested_reply)) == (("espresso",), True)


async def test_the_log_alone_has_where_the_conversation_stands(bot: Bot) -> None:
    shopper(bot)
    reply, _ = await Talk(bot).say("I want to return the shoes")
    assert reply.state is not None
    assert reply.state["active"]["slots"] == {"order": "RX-1", "items": ["p-1"], "refund_to": "original"}


def test_a_shop_changes_only_what_differs(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[policy]\nreturn_days = 14\n[flow.refund]\nenabled = false\n", encoding="utf-8")
    flows = Flows.load(own)
    assert (flows.policy["return_days"], flows.policy["exchange_days"]) == (14, 30)
    assert "refund" not in flows.flows
    assert "return" in flows.flows


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[flow.x]\neffect = 'teleport'", "flow.x.effect"),
        ("[flow.x]\neffect = 'return'\nslots = ['colour']", "flow.x"),
        (
            "[flow.x]\neffect = 'status'\nrules = [{after='order', allow='order.stauts == 1', say='ask_order'}]",
            "flow.x",
        ),
        ("[flow.x]\neffect = 'status'\nstarts = ['(']", "flow.x.starts"),
        ("[flow.x]\neffect = 'return'\nslots = ['order']", "flow.x"),
        ("not toml", "RAPPORT_CHATBOT__FLOWS_FILE"),
    ],
    ids=["effect", "slot", "fact", "pattern", "sentences", "toml"],
)
def test_a_mistake_in_the_file_stops_the_start_with_its_place(text: str, place: str, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Flows.load(own)
    assert str(caught.value.field).startswith(place)


async def test_the_encoder_away_leaves_requests_working(bot: Bot) -> None:
    shopper(bot)
    bot.encoder.failure = UnavailableError("away")
    _, outgoings = await Talk(bot).say("cancel order RX-2")
    assert outgoings
    sent = await confirmed(bot, "t-2", "cancel order RX-2", "yes")
    assert sent.key == "RX-2"
