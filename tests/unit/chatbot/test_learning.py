"""Vectors of the articles: cached, kept to one encoder, never in the way of an answer."""

from __future__ import annotations

from rapport.events.knowledge import ArticleUpserted
from rapport.testing.events import message, received
from services.chatbot.handlers import learn, on_articles, on_order_updates
from tests.unit.chatbot.conftest import Bot, order


async def test_a_second_look_embeds_nothing(bot: Bot) -> None:
    assert await learn(bot.ports, bot.mind) == 0


async def test_a_restart_finds_the_vectors_in_the_cache(bot: Bot) -> None:
    other = Bot()
    other.memory.vectors = bot.memory.vectors
    await other.open()
    assert await learn(other.ports, other.mind) == 0
    embedded = {text for call in other.encoder.calls for text in call}
    assert not any("within 30 days" in text for text in embedded)
    assert (await other.reply("How long can I return things?")).action == "answer"


async def test_a_changed_article_is_embedded_anew_and_alone(bot: Bot) -> None:
    body = "Standard shipping costs nothing."
    changed = ArticleUpserted(article_id="a-shipping", language="en", title="What shipping costs", body=body)
    on_articles(received(changed), bot.mind.library)
    assert await learn(bot.ports, bot.mind) == 1
    assert (await bot.reply("What does shipping cost?")).text == body


async def test_another_encoder_never_meets_the_old_vectors(bot: Bot) -> None:
    bot.encoder.model = "other@2"
    by_words = await bot.reply("How long can I return things?")
    assert await learn(bot.ports, bot.mind) > 0
    by_both = await bot.reply("How long can I return things?", "m-2")
    assert by_words.sources[0].id == by_both.sources[0].id == "a-returns-en"
    # A score of words alone is a share, 0 to 1.
    assert by_words.sources[0].score <= 1 < by_both.sources[0].score


async def test_a_lost_cache_costs_only_time() -> None:
    bot = Bot()
    bot.memory.down = True
    await bot.open()
    bot.memory.down = False
    assert (await bot.reply("How long can I return things?")).action == "answer"


async def test_a_tombstone_withdraws_at_once(bot: Bot) -> None:
    on_articles([message(None, 9, key="a-shipping", topic="knowledge.v1")], bot.mind.library)
    assert (await bot.reply("What does shipping cost?")).action == "refuse"


async def test_the_newest_state_of_an_order_in_a_batch_is_kept(bot: Bot) -> None:
    old, new = order("RX-1"), order("RX-1", status="delivered", updated_at=order("RX-1").updated_at.replace(day=8))
    gone = message(None, 9, key="RX-2", topic="orders.v1")
    await on_order_updates([*received(new, old, order("RX-2")), gone], bot.ports)
    assert bot.book.kept == [{"RX-1": new, "RX-2": None}]
