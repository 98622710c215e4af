"""The only place where the chatbot's adapters are built and joined."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.catalog import CatalogView
from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics
from rapport.ops.parts import Part
from rapport.serving.client import EncoderClient, GeneratorClient, PeerChannel, WorkerChannel
from rapport.serving.server import GrpcServer
from rapport.vectors.connection import RedisConnection
from rapport.vectors.store import EmbeddingStore
from services.chatbot.adapters.encoder import WatchedEncoder
from services.chatbot.adapters.learner import Learner
from services.chatbot.adapters.memory import RedisMemory
from services.chatbot.adapters.order_keeper import OrderKeeper
from services.chatbot.adapters.orders import RedisOrders
from services.chatbot.adapters.recommender import GrpcRecommender
from services.chatbot.adapters.vector_cache import RedisVectorCache
from services.chatbot.api import ChatApi, servicing
from services.chatbot.domain.background import Background
from services.chatbot.domain.library import Library
from services.chatbot.domain.mind import Manner, Mind
from services.chatbot.domain.phrases import Phrases
from services.chatbot.domain.understanding import Understanding
from services.chatbot.ports import Ports
from services.chatbot.settings import ChatbotSection, ChatbotSettings
from services.chatbot.stream import catalog_view, consumers, knowledge_view


def parts(settings: ChatbotSettings) -> Sequence[Part]:
    """What the service consists of, in starting order."""
    own = settings.chatbot
    redis = RedisConnection(settings.redis)
    worker = WorkerChannel(settings.worker.address, settings.worker.timeout_s)
    recommender = PeerChannel("recommender", settings.services.recommender, own.recommender_timeout_s)
    producer = EventProducer("chatbot", settings.kafka)
    catalog, orders = CatalogView(), RedisOrders(redis)
    mind = _mind(own)
    learner = Learner(mind)
    ports = Ports(
        memory=RedisMemory(
            redis,
            turns=own.memory_turns,
            keep_s=int(own.memory_hours * 3600),
            outcome_s=int(own.answered_once_hours * 3600),
        ),
        orders=orders,
        encoder=WatchedEncoder(EncoderClient(worker), learner.notice),
        vectors=RedisVectorCache(EmbeddingStore(redis)),
        recommender=GrpcRecommender(recommender),
        products=catalog,
        generator=GeneratorClient(worker) if own.wording == "generate" else None,
    )
    articles = knowledge_view(mind, learner, settings)
    learner.join(ports, articles.caught_up)
    api = ChatApi(ports, mind, producer, learner.prepared, settings.tenant)
    return (
        Topics(settings.kafka),
        redis,
        worker,
        recommender,
        producer,
        articles,
        catalog_view(catalog, settings),
        learner,
        OrderKeeper(orders, settings, own.order_check_s),
        *consumers(ports, mind, learner.prepared, settings),
        GrpcServer("chatbot", settings.grpc, [servicing(api)]),
    )


def _mind(own: ChatbotSection) -> Mind:
    manner = Manner(
        refuse_below=own.refuse_below,
        default_language=own.default_language,
        recommended_items=own.recommended_items,
        generator_languages=frozenset(language.strip() for language in own.generator_languages.split(",")),
        encoder_timeout_s=own.encoder_timeout_s,
    )
    return Mind(Library(Background.load()), Phrases.load(), Understanding.load(), manner)
