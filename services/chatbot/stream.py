"""Which topics feed which handler."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rapport.bus.consumer import HandlerConsumer
from rapport.bus.messages import Message, Outgoing
from rapport.bus.view import TopicView
from services.chatbot.adapters.catalog import ShopCatalog
from services.chatbot.adapters.learner import Learner
from services.chatbot.handlers import on_articles, on_chat_messages, on_order_updates
from services.chatbot.mind import Mind
from services.chatbot.ports import Ports
from services.chatbot.settings import ChatbotSettings


def knowledge_view(mind: Mind, learner: Learner, settings: ChatbotSettings) -> TopicView:
    """Every replica knows every article."""

    async def apply(messages: Sequence[Message]) -> None:
        on_articles(messages, mind.library)
        learner.wake()

    return TopicView("chatbot", "knowledge.v1", apply, settings)


def catalog_view(catalog: ShopCatalog, settings: ChatbotSettings) -> TopicView:
    return TopicView("chatbot", "catalog.v1", catalog.apply, settings)


def consumers(
    ports: Ports, mind: Mind, prepared: asyncio.Event, settings: ChatbotSettings
) -> tuple[HandlerConsumer, HandlerConsumer]:
    """Two groups, so that a flood of orders does not hold up a conversation.

    `prepared`: set when the articles are there; before, every question would be refused.
    """
    own = settings.chatbot

    async def answer(messages: Sequence[Message]) -> Sequence[Outgoing]:
        await prepared.wait()
        return await on_chat_messages(messages, ports, mind, own.parallel)

    async def keep(messages: Sequence[Message]) -> Sequence[Outgoing]:
        await on_order_updates(messages, ports)
        return ()

    return (
        HandlerConsumer("chatbot", ["chat.messages.v1"], answer, settings, max_batch=own.max_batch),
        HandlerConsumer("chatbot-orders", ["orders.v1"], keep, settings),
    )
