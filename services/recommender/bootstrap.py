"""The only place where the recommender's adapters are built and joined."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from threadpoolctl import threadpool_limits

from rapport.bus.topics import Topics
from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from rapport.serving.channel import PeerChannel, WorkerChannel
from rapport.serving.encoder_client import EncoderClient
from rapport.serving.generator_client import GeneratorClient
from rapport.serving.server import GrpcServer
from rapport.vectors.connection import RedisConnection
from rapport.vectors.exact import ExactIndex
from rapport.vectors.keys import Space
from rapport.vectors.projected import ProjectedIndex
from rapport.vectors.search import SearchIndex
from rapport.vectors.serving_copy import ServingCopy
from rapport.vectors.vector_set import VectorSetIndex
from services.recommender.adapters.counts_keeper import CountsKeeper
from services.recommender.adapters.index_queue import IndexQueue
from services.recommender.adapters.item_indexes import ItemIndexes, MakeIndex
from services.recommender.adapters.redis_arrivals import RedisArrivals
from services.recommender.adapters.redis_counts import RedisCounts
from services.recommender.adapters.redis_memory import RedisMemory
from services.recommender.adapters.redis_merges import RedisMerges
from services.recommender.adapters.redis_orders import RedisOrders
from services.recommender.adapters.redis_pictures import RedisPictures
from services.recommender.adapters.redis_pushes import RedisPushes
from services.recommender.adapters.redis_vectors import RedisItemVectors
from services.recommender.adapters.redis_wishes import RedisWishes
from services.recommender.adapters.refreshing import Refreshing
from services.recommender.adapters.served_log import RedisServedLog
from services.recommender.adapters.wish_queue import WishQueue, WorkerWishes
from services.recommender.api import RecommendationApi, servicing
from services.recommender.domain.blend import SOURCES, WEIGHTS, Blend
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.counting import DayOf
from services.recommender.domain.expressions import Expression
from services.recommender.domain.graph import NO_GRAPH
from services.recommender.domain.reactions import NO_STATISTICS
from services.recommender.domain.rules import Policy, Promotion
from services.recommender.domain.sources.recalled import RecalledSource
from services.recommender.domain.sources.source import Source
from services.recommender.handlers import Answers, check_encoder, index_products
from services.recommender.handlers.wishing import wish
from services.recommender.learned.join import learned_parts
from services.recommender.ports import Joined, Recaller
from services.recommender.settings import RecommenderSection, RecommenderSettings
from services.recommender.stream import behaviour_consumer, catalogue_view, profile_consumer


def parts(settings: RecommenderSettings) -> Sequence[Part]:
    """What the service consists of, in starting order."""
    # A search is one small product of matrices. On a machine with other work, threads that wait for each other make it
    # ten times slower; on an idle one they save a few milliseconds.
    threadpool_limits(1, "blas")
    own = settings.recommender
    redis = RedisConnection(settings.redis)
    channel = WorkerChannel(settings.worker.address, settings.worker.timeout_s)
    encoder = EncoderClient(channel)
    catalogues, vectors = Catalogues(), RedisItemVectors(redis)
    items = ItemIndexes(index_maker(own, redis))
    indexing = IndexQueue(
        lambda: check_encoder(catalogues=catalogues, items=items, encoder=encoder, indexing=indexing),
        own.encoder_check_s,
    )
    indexing.feeds(
        partial(index_products, catalogues=catalogues, items=items, vectors=vectors, encoder=encoder, indexing=indexing)
    )
    day_of = days_of(own.timezone)
    pictures, tenants = RedisPictures(redis, catalogues), catalogues.tenants
    graphs = Refreshing("product-graph", pictures.graph, tenants, NO_GRAPH, own.graph_refresh_s)
    statistics = Refreshing("item-statistics", pictures.statistics, tenants, NO_STATISTICS, own.statistics_refresh_s)
    served = RedisServedLog(redis, own.expires_after_minutes * 60)
    learned = learned_parts(settings, own.learned, channel)
    memory = RedisMemory(redis, lambda: day_of(int(_now().timestamp() * 1000)))
    ready = partial(Answers, catalogues=catalogues, items=items, memory=memory, graphs=graphs, statistics=statistics)
    answers = answers_of(own, learned, partial(ready, served=served))
    counts = RedisCounts(redis, settings.tenant, settings.kafka.topic_prefix)
    view = catalogue_view(catalogues, items, vectors, RedisArrivals(redis, _now), indexing, settings)
    behaviour = CountsKeeper(behaviour_consumer(counts, served, RedisOrders(redis), day_of, settings), counts)
    pushes = RedisPushes(ServingCopy(redis))
    wishes = RedisWishes(redis)
    written = wish_parts(
        own, partial(wish, catalogues=catalogues, items=items, encoder=encoder, store=wishes), settings
    )
    wishing = next((part for part in written if isinstance(part, WishQueue)), None)
    profiles = profile_consumer(
        answers,
        pushes,
        RedisMerges(redis),
        own.limit,
        view.caught_up,
        indexing,
        settings,
        wishing=wishing,
        wishes=wishes,
    )
    server = GrpcServer(
        "recommender", settings.grpc, [servicing(RecommendationApi(answers, settings.tenant, own.limit))]
    )
    first: tuple[Part, ...] = (Topics(settings.kafka), redis, channel, *learned.parts)
    return (*first, *written, indexing, graphs, statistics, served, view, behaviour, profiles, server)


def answers_of(own: RecommenderSection, learned: Joined, ready: Callable[..., Answers]) -> Answers:
    """`ready`, with what the settings and the trained models say."""
    return ready(
        policy=policy_of(own),
        clock=_now,
        expires_after=timedelta(minutes=own.expires_after_minutes),
        language=own.language,
        blend=blend_of(own, learned.sources, learned.recallers),
        rankers=learned.rankers,
        recallers=[recaller for recaller in learned.recallers if recaller.name in own.sources],
        recall_within_s=own.recall_within_ms / 1000,
        zone=ZoneInfo(own.timezone),
    )


def index_maker(own: RecommenderSection, redis: RedisConnection) -> MakeIndex:
    """Makes the item search that the settings name."""

    def make(tenant: str, space: str) -> SearchIndex:
        if own.index != "vector_set":
            return ExactIndex() if own.index == "exact" else ProjectedIndex()
        return VectorSetIndex(redis, tenant, "item", Space.parse(space))

    return make


def wish_parts(
    own: RecommenderSection, write: Callable[..., Awaitable[Sequence[str]]], settings: Settings
) -> list[Part]:
    """The channel to the language model, and the queue of customers whose wishes it writes; nothing without a model."""
    if not own.generator:
        return []
    channel = PeerChannel("generator", own.generator, settings.worker.timeout_s)
    writer = WorkerWishes(GeneratorClient(channel))
    return [channel, WishQueue(partial(write, writer=writer), own.wish_every_s)]


def policy_of(own: RecommenderSection) -> Policy:
    """The settings as the domain's rules."""
    return Policy(
        repeat_categories=frozenset(category.casefold() for category in own.repeat_categories),
        most_of_a_category=own.most_of_a_category,
        filters=tuple(map(Expression, own.filters)),
        promotions=tuple(Promotion(each.name, Expression(each.when), each.boost) for each in own.promotions),
        diversity=own.diversity,
        explore=own.explore,
        price_fit=own.price_fit,
    )


def blend_of(own: RecommenderSection, more: Sequence[Source], asked: Sequence[Recaller]) -> Blend:
    """The sources that are switched on: those built in, the trained ones, and those that are asked."""
    recalled = [RecalledSource(recaller.name, "personalised") for recaller in asked]
    sources = [source for source in (*SOURCES, *more, *recalled) if source.name in own.sources]
    return Blend(sources, {**WEIGHTS, **own.weights})


def days_of(timezone: str) -> DayOf:
    """The ISO date of a time in milliseconds, in that time zone."""
    zone = ZoneInfo(timezone)
    return lambda at_ms: datetime.fromtimestamp(at_ms / 1000, zone).date().isoformat()


def _now() -> datetime:
    return datetime.now(UTC)
