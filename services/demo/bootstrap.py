"""Builds the demo shop and joins its parts."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.messages import Message
from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics
from rapport.bus.view import TopicView
from rapport.events.recommendations import RecommendationMade
from rapport.ops.parts import Part
from services.demo.adapters.article_files import load_articles
from services.demo.adapters.world_files import load_world
from services.demo.live import Shop
from services.demo.settings import DemoSettings


def parts(settings: DemoSettings) -> Sequence[Part]:
    """Topics, producer, shop, the answers that its pages show; each needs those before it. Raises `ConfigurationError`
    when a data file is malformed."""
    producer = EventProducer("demo", settings.kafka)
    shop = Shop(load_world(), load_articles(), producer, settings.demo, settings.tenant)

    async def learn(messages: Sequence[Message]) -> None:
        for message in messages:
            if message.envelope.tenant == settings.tenant:
                shop.learn(message.key, message.event if isinstance(message.event, RecommendationMade) else None)

    parts: list[Part] = [Topics(settings.kafka), producer, shop]
    return [*parts, TopicView("demo", "recommendations.v1", learn, settings)] if settings.demo.rate else parts
