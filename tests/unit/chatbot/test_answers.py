"""What the bot says to one message."""

from __future__ import annotations

import pytest

from rapport.events.orders import OrderLine
from rapport.ops.errors import InvalidRequest, UnavailableError
from rapport.testing.events import received
from rapport.testing.models import FakeGenerator
from services.chatbot.handlers import learn, on_articles
from tests.unit.chatbot.conftest import ARTICLES, Bot, order


async def test_a_known_question_is_answered_by_a_quotation_with_its_article(bot: Bot) -> None:
    reply = await bot.reply("How long can I return things?")
    [source] = reply.sources
    assert (reply.action, reply.language, source.kind, source.id) == ("answer", "en", "article", "a-returns-en")
    assert "within 30 days" in reply.text
    assert source.quote in ARTICLES[0].body
    assert reply.text == source.quote


async def test_a_chinese_question_is_answered_from_the_chinese_version(bot: Bot) -> None:
    reply = await bot.reply("多长时间内可以退货？")
    assert (reply.action, reply.language, reply.sources[0].id) == ("answer", "zh", "a-returns-zh")
    assert "30天" in reply.text


async def test_an_article_in_one_language_only_is_quoted_with_an_introduction(bot: Bot) -> None:
    reply = await bot.reply("花呗分期 instalments 花呗 Alipay Huabei", language="zh-CN")
    assert (reply.action, reply.sources[0].id) == ("answer", "a-instalments")
    assert reply.text.startswith("这个问题我们的帮助文章")
    assert reply.sources[0].quote in reply.text
    [source] = reply.sources
    assert ARTICLES[2].body[source.start : source.end] == source.quote


async def test_what_no_article_tells_is_refused_with_an_offer_and_yes_takes_it(bot: Bot) -> None:
    reply = await bot.reply("Who painted the ceiling of that chapel in Rome?")
    assert (reply.action, reply.sources) == ("refuse", ())
    assert "colleague" in reply.text
    accepted = await bot.reply("yes please", "m-2")
    assert accepted.action == "handoff"


async def test_yes_means_nothing_without_an_offer(bot: Bot) -> None:
    assert (await bot.reply("yes please")).action != "handoff"


async def test_a_withdrawn_article_is_not_quoted_any_more(bot: Bot) -> None:
    on_articles(received(ARTICLES[0].model_copy(update={"body": "Returns are over."})), bot.mind.library)
    bot.mind.library.of("default").withdraw("a-returns-en")
    bot.mind.library.of("default").withdraw("a-returns-zh")
    reply = await bot.reply("How long can I return things?")
    assert reply.action == "refuse"


async def test_a_follow_up_leans_on_the_question_before(bot: Bot) -> None:
    await bot.reply("What does shipping cost?")
    reply = await bot.reply("and express?", "m-2")
    assert (reply.action, reply.sources[0].id) == ("answer", "a-shipping")


async def test_without_the_encoder_words_alone_find_the_article(bot: Bot) -> None:
    bot.encoder.failure = UnavailableError("loading")
    reply = await bot.reply("How long can I return things?")
    assert (reply.action, reply.sources[0].id) == ("answer", "a-returns-en")


async def test_without_redis_the_bot_answers_and_only_forgets(bot: Bot) -> None:
    bot.memory.down = bot.book.down = True
    assert (await bot.reply("How long can I return things?")).action == "answer"
    assert "orders just now" in (await bot.reply("where is my order?", "m-2")).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where is my order?", "RX-1002"),
        ("我的订单到哪了？", "RX-1002"),
        ("and rx-1001?", "RX-1001"),
        ("1001", "RX-1001"),
    ],
)
async def test_order_status_by_number_or_of_the_latest_order(bot: Bot, text: str, expected: str) -> None:
    later = order("RX-1001").placed_at.replace(day=9)
    bot.book.orders = [
        order("RX-1001", tracking_number="T9", carrier="Volt"),
        order("RX-1002", placed_at=later, lines=(OrderLine(product_id="p-1"),)),
    ]
    reply = await bot.reply(text)
    assert (reply.action, reply.order_id) == ("order_status", expected)
    assert expected in reply.text
    assert reply.sources[0].kind == "order"


async def test_an_order_of_somebody_else_is_never_shown(bot: Bot) -> None:
    bot.book.orders = [order("RX-2001", customer_id="c-2", tracking_number="SECRET")]
    reply = await bot.reply("I am customer c-2, where is my order RX-2001?")
    assert (reply.action, reply.order_id, reply.sources) == ("ask", None, ())
    assert "did not find RX-2001 among your orders" in reply.text
    assert bot.book.asked == ["c-1"]


async def test_orders_need_a_customer(bot: Bot) -> None:
    bot.book.orders = [order("RX-1001")]
    reply = await bot.reply("where is my order RX-1001?", customer_id=None)
    assert (reply.action, reply.order_id) == ("ask", None)
    assert "sign in" in reply.text
    assert bot.book.asked == []


async def test_how_to_return_a_named_order_is_a_question_for_the_articles(bot: Bot) -> None:
    bot.book.orders = [order("RX-1001")]
    reply = await bot.reply("How long can I return things from order RX-1001?")
    assert reply.action == "answer"


async def test_a_recommendation_is_worded_with_titles_and_reasons(bot: Bot) -> None:
    reply = await bot.reply("what would you recommend?")
    assert (reply.action, reply.product_ids) == ("recommend", ("p-1",))
    assert "1. Fernhill Trail Runner: fits your trail runs" in reply.text
    assert [(source.kind, source.id) for source in reply.sources] == [("recommendation", "r-1"), ("product", "p-1")]
    assert "云岭越野跑鞋" in (await bot.reply("给我推荐点东西", "m-2")).text
    assert bot.shop.asked == [("c-1", "en"), ("c-1", "zh")]


@pytest.mark.parametrize("failure", [UnavailableError("down"), InvalidRequest("no")])
async def test_a_recommender_that_fails_is_admitted(bot: Bot, failure: Exception) -> None:
    bot.shop.failure = failure  # type: ignore[assignment]
    reply = await bot.reply("what would you recommend?")
    assert (reply.action, reply.product_ids) == ("refuse", ())


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
async def test_an_empty_message_is_asked_about(bot: Bot, text: str) -> None:
    assert (await bot.reply(text)).action == "ask"


async def test_worded_sentences_without_support_are_left_out() -> None:
    said = "You can return items within 30 days. We also give you a free unicorn. Gold members have 90 days."
    bot = await Bot(FakeGenerator(said)).open()
    reply = await bot.reply("How long can I return things?")
    assert reply.text == "You can return items within 30 days."
    assert (reply.model, reply.sources[0].id) == ("fake@1", "a-returns-en")


@pytest.mark.parametrize("broken", [True, False])
async def test_nothing_supported_or_no_model_leaves_the_quotation(broken: bool) -> None:
    generator = FakeGenerator("Unicorns for everybody!")
    generator.failure = UnavailableError("loading") if broken else None
    bot = await Bot(generator).open()
    reply = await bot.reply("How long can I return things?")
    assert (reply.text, reply.model) == (reply.sources[0].quote, None)


async def test_what_leans_on_a_question_is_read_with_it_unless_it_leads_away(bot: Bot) -> None:
    assert (await bot.reply("How long can I return things?")).action == "answer"
    reply = await bot.reply("And gold members?", "m-2")
    assert (reply.action, reply.sources[0].id) == ("answer", "a-returns-en")
    assert (await bot.reply("And who painted the ceiling of that chapel in Rome?", "m-3")).action == "refuse"


async def test_of_articles_that_fit_alike_one_is_answered(bot: Bot) -> None:
    twins = [ARTICLES[3].model_copy(update={"article_id": f"a-twin-{number}"}) for number in range(4)]
    on_articles(received(*twins), bot.mind.library)
    await learn(bot.ports, bot.mind)
    reply = await bot.reply("What does shipping cost?")
    assert reply.action == "answer"
    assert "€4.90" in reply.text
