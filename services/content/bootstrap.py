"""The only place where the content service's adapters are built and joined."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rapport.bus.catalog import CatalogView
from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics
from rapport.bus.view import TopicView
from rapport.models.promoted import PromotedModels
from rapport.ops.parts import Part
from rapport.serving.channel import WorkerChannel
from rapport.serving.generator_client import GeneratorClient
from rapport.serving.server import GrpcServer
from rapport.vectors.connection import RedisConnection
from services.content.adapters.background import LineWriter, Referee
from services.content.adapters.memory import RedisArms, RedisDecisions, RedisLines, RedisPublished, RedisRecent
from services.content.adapters.ranked import BoardRanking
from services.content.adapters.writer import WorkerWriter
from services.content.api import ContentApi, Rooms, servicing
from services.content.domain.audience import People
from services.content.domain.budget import TokenBudget
from services.content.domain.checks import Checker
from services.content.domain.experiments.board import Board
from services.content.domain.templates import Templates
from services.content.handlers.briefs import BriefHandlers
from services.content.handlers.experiments import ExperimentHandlers
from services.content.handlers.lines import LineHandlers, Wanted
from services.content.handlers.outcomes import OutcomeHandlers
from services.content.handlers.review import Drafts, ReviewHandlers
from services.content.handlers.texts import Texts
from services.content.settings import ContentSettings
from services.content.stream import consumers, views
from services.content.training import COPYWRITER
from services.content.writing import Copywriter

# As long as exposures.v1 keeps what it would be rebuilt from.
_KEEP_ARMS_S = 90 * 86_400


def parts(settings: ContentSettings) -> Sequence[Part]:
    """What the service consists of, in starting order."""
    own = settings.content
    keep_s = int(own.keep_hours * 3600)
    redis = RedisConnection(settings.redis)
    channel = WorkerChannel(settings.worker.address, settings.worker.timeout_s)
    producer = EventProducer("content", settings.kafka)
    catalog, people, board, texts, drafts = CatalogView(), People(), Board(), Texts(), Drafts()
    products = TopicView("content", "catalog.v1", catalog.apply, settings)
    published = TopicView("content", "content.published.v1", texts.apply, settings)
    writer = _writer(settings, channel)
    promoted = PromotedModels("content", settings)
    promoted.follow(COPYWRITER, writer.use)
    copywriter = _copywriter(settings, writer, board)
    briefs = BriefHandlers(
        copywriter, catalog, people, RedisPublished(redis, keep_s), RedisRecent(redis, keep_s), own.approval
    )
    later: asyncio.Queue[Wanted] = asyncio.Queue(own.lines_waiting)
    lines = LineHandlers(copywriter, catalog, RedisLines(redis, keep_s), later, own.default_language, own.line_items)
    experiments = ExperimentHandlers(board, people, RedisArms(redis, _KEEP_ARMS_S))
    outcomes = OutcomeHandlers(board, people)
    review = ReviewHandlers(drafts, RedisDecisions(redis, _KEEP_ARMS_S))
    held = views(people, drafts, experiments, settings)
    rooms = Rooms(briefs, review, experiments, people, copywriter.templates, texts)
    return (
        Topics(settings.kafka),
        redis,
        channel,
        producer,
        products,
        published,
        promoted,
        *held.parts,
        *consumers(briefs, lines, outcomes, products.caught_up, settings, held.defined),
        LineWriter(lines, TokenBudget(own.line_tokens_per_minute), own.max_tokens),
        Referee(experiments, producer, own.referee_every_s, held.counted),
        GrpcServer("content", settings.grpc, [servicing(ContentApi(rooms, producer, settings.tenant))]),
    )


def _writer(settings: ContentSettings, channel: WorkerChannel) -> WorkerWriter:
    own = settings.content
    return WorkerWriter(
        GeneratorClient(channel),
        max_tokens=own.max_tokens,
        temperature=own.temperature,
        adapter=own.adapter,
        constrain=own.constrain,
    )


def _copywriter(settings: ContentSettings, writer: WorkerWriter, board: Board) -> Copywriter:
    own = settings.content
    return Copywriter(
        Templates.load(own.templates),
        Checker.load(own.rules, own.lexicon, strict=own.strict_vocabulary),
        writer,
        BoardRanking(board, settings.tenant),
        own.attempts,
        frozenset(own.model_languages),
    )
