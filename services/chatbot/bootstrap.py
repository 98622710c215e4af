"""The only place where the chatbot's adapters are built and joined."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics
from rapport.models.promoted import PromotedModels
from rapport.ops.parts import Part
from rapport.serving.client import (
    ClassifierClient,
    EncoderClient,
    GeneratorClient,
    PeerChannel,
    ReaderClient,
    WorkerChannel,
)
from rapport.serving.server import GrpcServer
from rapport.vectors.connection import RedisConnection
from rapport.vectors.store import EmbeddingStore
from services.chatbot.adapters.catalog import ShopCatalog
from services.chatbot.adapters.encoder import WatchedEncoder
from services.chatbot.adapters.keeper import Keeper
from services.chatbot.adapters.learner import Learner
from services.chatbot.adapters.logged_conversations import fill_conversations
from services.chatbot.adapters.logged_orders import fill_orders
from services.chatbot.adapters.memory import RedisMemory
from services.chatbot.adapters.orders import RedisOrders
from services.chatbot.adapters.profiles import GrpcProfiles
from services.chatbot.adapters.recommender import GrpcRecommender
from services.chatbot.adapters.reflector import Reflector
from services.chatbot.adapters.trained_answers import TrainedAnswers
from services.chatbot.adapters.trained_intents import TrainedIntents
from services.chatbot.adapters.vector_cache import RedisVectorCache
from services.chatbot.api import ChatApi, servicing
from services.chatbot.domain.background import Background
from services.chatbot.domain.library import Library
from services.chatbot.domain.phrases import Phrases
from services.chatbot.domain.understanding import Understanding
from services.chatbot.flows.acts import Acts
from services.chatbot.flows.spec import Flows
from services.chatbot.knowledge import Articles
from services.chatbot.mind import Manner, Mind
from services.chatbot.ports import Encoder, Ports
from services.chatbot.safety.checks import (
    AbuseRail,
    InjectionRail,
    PersonalDataRail,
    SeedMessages,
    ThreatRail,
    UnsafeRail,
)
from services.chatbot.safety.rails import Rails
from services.chatbot.safety.words import Words
from services.chatbot.settings import ChatbotSection, ChatbotSettings
from services.chatbot.stream import catalog_view, consumers, knowledge_view
from services.chatbot.training.answer_names import NAME as TRAINED_ANSWERS
from services.chatbot.training.versions import NAME as TRAINED_INTENTS
from services.chatbot.understanding import Reader


def parts(settings: ChatbotSettings) -> Sequence[Part]:
    """What the service consists of, in starting order."""
    own = settings.chatbot
    redis = RedisConnection(settings.redis)
    worker = WorkerChannel(settings.worker.address, settings.worker.timeout_s)
    recommender = PeerChannel("recommender", settings.services.recommender, own.recommender_timeout_s)
    producer = EventProducer("chatbot", settings.kafka)
    profiler = PeerChannel("profiler", settings.services.profiler, own.profiler_timeout_s)
    catalog, orders = ShopCatalog(), RedisOrders(redis)
    mind = _mind(own)
    learner = Learner(mind)
    encoder = WatchedEncoder(EncoderClient(worker), learner.notice)
    memory = _memory(redis, own)
    short = TrainedAnswers(ReaderClient(worker), timeout_s=own.encoder_timeout_s)
    ports = Ports(
        understanding=Reader(encoder, ClassifierClient(worker), mind.understanding, timeout_s=own.encoder_timeout_s),
        knowledge=Articles(mind, short, GeneratorClient(worker) if own.wording == "generate" else None),
        memory=memory,
        orders=orders,
        encoder=encoder,
        vectors=RedisVectorCache(EmbeddingStore(redis)),
        recommender=GrpcRecommender(recommender),
        products=catalog,
        profiles=GrpcProfiles(profiler),
        rails=rails_of(own, mind, encoder),
    )
    promoted = PromotedModels("chatbot", settings)
    promoted.follow(TRAINED_INTENTS, TrainedIntents(mind.understanding, learner.wake).use)
    promoted.follow(TRAINED_ANSWERS, short.use)
    articles = knowledge_view(mind, learner, settings)
    learner.join(ports, articles.caught_up)
    api = ChatApi(ports, mind, producer, learner.prepared, settings.tenant)
    return (
        Topics(settings.kafka),
        redis,
        worker,
        recommender,
        profiler,
        producer,
        articles,
        catalog_view(catalog, settings),
        learner,
        promoted,
        *_keepers(orders, memory, settings),
        Reflector(ports, producer, settings, timedelta(hours=own.insights_hours)),
        *consumers(ports, mind, learner.prepared, settings),
        GrpcServer("chatbot", settings.grpc, [servicing(api)]),
    )


def _memory(redis: RedisConnection, own: ChatbotSection) -> RedisMemory:
    keep_s, outcome_s = int(own.memory_hours * 3600), int(own.answered_once_hours * 3600)
    return RedisMemory(redis, turns=own.memory_turns, keep_s=keep_s, outcome_s=outcome_s)


def _keepers(orders: RedisOrders, memory: RedisMemory, settings: ChatbotSettings) -> tuple[Keeper, Keeper]:
    """What fills Redis again from the log after it was lost."""
    own = settings.chatbot
    conversations = partial(fill_conversations, memory, settings, hours=own.memory_hours, turns=own.memory_turns)
    return (
        Keeper("orders", orders, partial(fill_orders, orders, settings), settings.tenant, own.order_check_s),
        Keeper("conversations", memory, conversations, settings.tenant, own.order_check_s),
    )


def _mind(own: ChatbotSection) -> Mind:
    manner = Manner(
        refuse_below=own.refuse_below,
        default_language=own.default_language,
        recommended_items=own.recommended_items,
        generator_languages=frozenset(own.generator_languages),
        encoder_timeout_s=own.encoder_timeout_s,
        memory_tokens=own.memory_tokens,
        searched_items=own.searched_items,
        handoff_after_unsure=own.handoff_after_unsure,
        handoff_anger=own.handoff_anger,
    )
    flows = Flows.load(own.flows_file)
    return Mind(
        Library(Background.load()), Phrases.load(), Understanding.load(), manner, flows, Acts.load(), Words.load()
    )


def rails_of(own: ChatbotSection, mind: Mind, encoder: Encoder) -> Rails:
    """The safety rails with the modes that the settings give them."""
    seed = SeedMessages.load([text for text, _ in mind.understanding.examples], own.injection_examples)
    injection = InjectionRail(mind.words, encoder, seed, threshold=own.injection_threshold)
    return Rails(
        before=(
            (ThreatRail(mind.words), own.abuse_rail),
            (injection, own.injection_rail),
            (AbuseRail(mind.words), own.abuse_rail),
        ),
        after=((PersonalDataRail(), own.personal_data_rail), (UnsafeRail(mind.words), own.unsafe_rail)),
    )
