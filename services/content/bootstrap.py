"""The only place where the content service's adapters are built and joined."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.catalog import CatalogView
from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics
from rapport.bus.view import TopicView
from rapport.ops.lifecycle import run
from rapport.ops.parts import Part
from rapport.serving.channel import WorkerChannel
from rapport.serving.generator_client import GeneratorClient
from rapport.serving.server import GrpcServer
from rapport.vectors.connection import RedisConnection
from services.content.adapters.memory import RedisLines, RedisPublished
from services.content.adapters.writer import WorkerWriter
from services.content.api import ContentApi, servicing
from services.content.domain.budget import RateBudget
from services.content.domain.checks import Checker
from services.content.domain.templates import Templates
from services.content.handlers import ContentHandlers
from services.content.settings import ContentSettings
from services.content.stream import consumers
from services.content.writing import Copywriter


def parts(settings: ContentSettings) -> Sequence[Part]:
    """What the service consists of, in starting order."""
    own = settings.content
    keep_s = int(own.keep_hours * 3600)
    redis = RedisConnection(settings.redis)
    channel = WorkerChannel(settings.worker.address, settings.worker.timeout_s)
    producer = EventProducer("content", settings.kafka)
    catalog = CatalogView()
    view = TopicView("content", "catalog.v1", catalog.apply, settings)
    copywriter = Copywriter(
        Templates.load(own.templates),
        Checker.load(own.rules),
        WorkerWriter(GeneratorClient(channel), max_tokens=own.max_tokens, temperature=own.temperature),
        own.attempts,
        frozenset(language.strip() for language in own.model_languages.split(",")),
    )
    handlers = ContentHandlers(
        copywriter,
        catalog,
        RedisPublished(redis, keep_s),
        RedisLines(redis, keep_s),
        RateBudget(own.model_lines_per_minute),
        own.default_language,
    )
    server = GrpcServer("content", settings.grpc, [servicing(ContentApi(handlers, producer, settings.tenant))])
    return (
        Topics(settings.kafka),
        redis,
        channel,
        producer,
        view,
        *consumers(handlers, view.caught_up, settings),
        server,
    )


def main() -> None:
    """The process."""
    run("content", ContentSettings, parts)
