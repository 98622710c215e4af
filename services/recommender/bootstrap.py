"""The only place where the recommender's adapters are built and joined."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from rapport.bus.topics import Topics
from rapport.ops.parts import Part
from rapport.serving.channel import WorkerChannel
from rapport.serving.encoder_client import EncoderClient
from rapport.serving.server import GrpcServer
from rapport.vectors.connection import RedisConnection
from rapport.vectors.exact import ExactIndex
from rapport.vectors.keys import Space
from rapport.vectors.search import SearchIndex
from rapport.vectors.serving_copy import ServingCopy
from rapport.vectors.vector_set import VectorSetIndex
from services.recommender.adapters.counts_keeper import CountsKeeper
from services.recommender.adapters.index_queue import IndexQueue
from services.recommender.adapters.item_indexes import ItemIndexes
from services.recommender.adapters.redis_arrivals import RedisArrivals
from services.recommender.adapters.redis_counts import RedisCounts
from services.recommender.adapters.redis_memory import RedisMemory
from services.recommender.adapters.redis_pushes import RedisPushes
from services.recommender.adapters.redis_vectors import RedisItemVectors
from services.recommender.api import RecommendationApi, servicing
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.counting import DayOf
from services.recommender.domain.rules import Policy
from services.recommender.handlers import Answers, check_encoder, index_products
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

    def make_index(tenant: str, space: str) -> SearchIndex:
        if own.index == "exact":
            return ExactIndex()
        return VectorSetIndex(redis, tenant, "item", Space.parse(space))

    items = ItemIndexes(make_index)
    indexing = IndexQueue(
        lambda: check_encoder(catalogues=catalogues, items=items, encoder=encoder, indexing=indexing),
        own.encoder_check_s,
    )
    indexing.feeds(
        partial(index_products, catalogues=catalogues, items=items, vectors=vectors, encoder=encoder, indexing=indexing)
    )
    day_of = days_of(own.timezone)
    memory = RedisMemory(redis, lambda: day_of(int(_now().timestamp() * 1000)))
    answers = Answers(
        catalogues, items, memory, policy_of(own), _now, timedelta(minutes=own.expires_after_minutes), own.language
    )
    counts = RedisCounts(redis, settings.tenant, settings.kafka.topic_prefix)
    view = catalogue_view(catalogues, items, vectors, RedisArrivals(redis, _now), indexing, settings)
    behaviour = CountsKeeper(behaviour_consumer(counts, day_of, settings), counts)
    pushes = RedisPushes(ServingCopy(redis))
    profiles = profile_consumer(answers, pushes, own.limit, view.caught_up, indexing, settings)
    api = RecommendationApi(answers, settings.tenant, own.limit)
    server = GrpcServer("recommender", settings.grpc, [servicing(api)])
    return (Topics(settings.kafka), redis, channel, indexing, view, behaviour, profiles, server)


def policy_of(own: RecommenderSection) -> Policy:
    """The settings as the domain's rules."""
    again = frozenset(category.casefold() for category in own.repeat_categories)
    return Policy(again, own.most_of_a_category)


def days_of(timezone: str) -> DayOf:
    """The ISO date of a time in milliseconds, in that time zone."""
    zone = ZoneInfo(timezone)
    return lambda at_ms: datetime.fromtimestamp(at_ms / 1000, zone).date().isoformat()


def _now() -> datetime:
    return datetime.now(UTC)
