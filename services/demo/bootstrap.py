"""Builds the demo shop and joins its parts."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics
from rapport.ops.parts import Part
from services.demo.adapters.article_files import load_articles
from services.demo.adapters.world_files import load_world
from services.demo.live import Shop
from services.demo.settings import DemoSettings


def parts(settings: DemoSettings) -> Sequence[Part]:
    """Topics, producer, shop; each needs those before it. Raises `ConfigurationError` when a data file is malformed."""
    producer = EventProducer("demo", settings.kafka)
    shop = Shop(load_world(), load_articles(), producer, settings.demo, settings.tenant)
    return [Topics(settings.kafka), producer, shop]
