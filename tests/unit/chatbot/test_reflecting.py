"""Figures of use, and unanswered questions grouped into articles to write."""

from __future__ import annotations

from datetime import timedelta

from rapport.events.base import Event
from rapport.events.chat import ChatFeedback
from rapport.events.profiles import InsightFound
from rapport.ops.errors import UnavailableError
from rapport.testing.events import BEGIN
from services.chatbot.handlers.reflecting import reflect
from tests.unit.chatbot.conftest import Bot, says

HOUR = timedelta(hours=1)


async def talked(bot: Bot, *talks: tuple[str, ...]) -> list[Event]:
    """What the topics hold after these conversations, each of another customer."""
    events: list[Event] = []
    for number, texts in enumerate(talks):
        for turn, text in enumerate(texts):
            said = says(text, f"m-{turn}-{number}", conversation_id=f"t-{number}", customer_id=f"c-{number}")
            events += [said, *(outgoing.event for outgoing in await bot.hear(said) if outgoing.event is not None)]
    return events


async def found(bot: Bot, events: list[Event]) -> list[InsightFound]:
    outgoings = await reflect([(BEGIN, event) for event in events], "default", BEGIN, BEGIN + HOUR, bot.ports)
    return [outgoing.event for outgoing in outgoings if isinstance(outgoing.event, InsightFound)]


async def test_containment_hand_offs_refusals_and_thumbs_are_counted(bot: Bot) -> None:
    events = await talked(
        bot,
        ("How long can I return things?",),
        ("I need a real person",),
        ("zebra crossing xylophone",),
        ("hello",),
    )
    events.append(ChatFeedback(feedback_id="f-1", conversation_id="t-0", reply_id="r-1", rating="up"))
    figures = (await found(bot, events))[0]
    assert figures.kind == "chat_containment"
    assert figures.data["conversations"] == 4
    assert figures.data["containment"] == 0.75
    assert figures.data["handoff_reasons"] == {"requested": 1}
    assert figures.data["refusal_rate"] == 0.25
    assert figures.data["thumbs"] == {"up": 1}


async def test_the_same_question_of_two_customers_is_an_article_to_write(bot: Bot) -> None:
    events = await talked(
        bot,
        ("zebra crossing xylophone lessons",),
        ("xylophone lessons zebra",),
        ("quantum umbrella forecast",),
    )
    [gap] = [one for one in await found(bot, events) if one.kind == "chat_gap"]
    assert gap.size == 2
    assert "xylophone" in gap.data["suggested_title"]
    assert set(gap.evidence) == {"m-0-0", "m-0-1"}


async def test_every_replica_finds_the_same_under_the_same_id(bot: Bot) -> None:
    events = await talked(bot, ("hello",))
    assert await found(bot, events) == await found(bot, events)


async def test_without_the_encoder_the_figures_still_come(bot: Bot) -> None:
    events = await talked(bot, ("zebra crossing xylophone lessons",), ("xylophone lessons zebra",))
    bot.encoder.failure = UnavailableError("away")
    assert [one.kind for one in await found(bot, events)] == ["chat_containment"]


async def test_nothing_said_is_nothing_found(bot: Bot) -> None:
    assert await found(bot, []) == []
