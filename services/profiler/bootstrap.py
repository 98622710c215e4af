"""The only place where the profiler's adapters are built and joined."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.catalog import CatalogView
from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics
from rapport.bus.view import TopicView
from rapport.ops.parts import Part
from rapport.serving.channel import WorkerChannel
from rapport.serving.classifier_client import ClassifierClient
from rapport.serving.encoder_client import EncoderClient
from rapport.serving.server import GrpcServer
from rapport.vectors.connection import RedisConnection
from rapport.vectors.serving_copy import ServingCopy
from services.profiler.adapters.aspects import ClassifiedAspects
from services.profiler.adapters.catalogue import ViewedCatalogue
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.adapters.copies import RedisCopies
from services.profiler.adapters.encoder import CachedEncoder
from services.profiler.adapters.keeper import CopyKeeper
from services.profiler.adapters.moods import ClassifiedMoods
from services.profiler.adapters.states import pages, sealed_pages
from services.profiler.adapters.voices import ClassifiedVoices
from services.profiler.ageing import Ageing
from services.profiler.api import ProfileApi, servicing
from services.profiler.domain.rules import HOUR_MS, MINUTE_MS, Rules
from services.profiler.handlers import serve_again
from services.profiler.learned import LearnedParts
from services.profiler.ports import Ports
from services.profiler.settings import ProfilerSection, ProfilerSettings
from services.profiler.stream import behaviour_consumer, chat_consumer


def parts(settings: ProfilerSettings) -> Sequence[Part]:
    """What the service consists of, in starting order."""
    own, rules, codec = settings.profiler, rules_of(settings.profiler), CustomerCodec()
    redis = RedisConnection(settings.redis)
    channel = WorkerChannel(settings.worker.address, settings.worker.timeout_s)
    catalog = CatalogView()
    view = TopicView("profiler", "catalog.v1", catalog.apply, settings)
    copies = RedisCopies(ServingCopy(redis))
    classifier = ClassifierClient(channel)
    moods = ClassifiedMoods(classifier)
    learned = LearnedParts(settings, rules, ClassifiedAspects(classifier), moods, ClassifiedVoices(classifier), redis)
    ports = Ports(
        ViewedCatalogue(catalog),
        CachedEncoder(EncoderClient(channel), own.cached_texts),
        moods,
        copies,
        observers=learned.observers,
    )
    consumer = behaviour_consumer(ports, rules, codec, view.caught_up, settings, own.max_batch)

    async def restore() -> int:
        return await serve_again(sealed_pages(consumer.items(), codec), ports, rules)

    producer = EventProducer("profiler-ageing", settings.kafka)
    keeper = CopyKeeper(lambda: consumer.health().ready, copies.intact, restore, own.copy_check_s)
    ageing = Ageing(
        lambda: pages(consumer.items(), codec),
        learned.clock,
        learned.observers,
        producer,
        own.ageing_minutes * 60,
        own.ageing_at_most,
    )
    api = ProfileApi(copies, settings.tenant, learned.observers, rules)
    server = GrpcServer("profiler", settings.grpc, [servicing(api)])
    return (
        Topics(settings.kafka),
        redis,
        channel,
        view,
        *learned.parts,
        consumer,
        chat_consumer(settings),
        keeper,
        *((producer, ageing) if own.ageing_minutes else ()),
        server,
    )


def rules_of(own: ProfilerSection) -> Rules:
    """The settings in the domain's units."""
    return Rules(
        need_half_life_ms=round(own.need_half_life_hours * HOUR_MS),
        now_half_life_ms=round(own.need_now_half_life_hours * HOUR_MS),
        affinity_half_life_ms=round(own.affinity_half_life_hours * HOUR_MS),
        session_gap_ms=round(own.session_gap_minutes * MINUTE_MS),
        allowed_lateness_ms=round(own.allowed_lateness_hours * HOUR_MS),
        join_cosine=own.need_join_cosine,
        merge_cosine=own.need_merge_cosine,
    )
