"""The only place where the gateway's adapters are built and joined."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.catalog import CatalogView
from rapport.bus.producer import EventProducer
from rapport.bus.topics import Topics
from rapport.bus.view import TopicView
from rapport.events.topics import TOPICS
from rapport.ops.errors import ConfigurationError
from rapport.ops.http_server import HttpServer
from rapport.ops.parts import Part
from rapport.serving.channel import PeerChannel
from services.gateway.adapters.live import LiveTail
from services.gateway.adapters.peers import GrpcPeers
from services.gateway.api import application
from services.gateway.domain.desk import Desk
from services.gateway.domain.keys import Keys
from services.gateway.settings import GatewaySettings, split
from services.gateway.stream import desk_views


def parts(settings: GatewaySettings) -> Sequence[Part]:
    """What the gateway consists of, in starting order."""
    own, addresses = settings.gateway, settings.services
    keys = Keys(split(own.write_keys), split(own.private_keys))
    if not keys.private:
        raise ConfigurationError(
            "no key would open the API", field="RAPPORT_GATEWAY__PRIVATE_KEYS", fix="set at least one secret key"
        )
    producer = EventProducer("gateway", settings.kafka)
    products = CatalogView()
    view = TopicView("gateway", "catalog.v1", products.apply, settings)
    live = LiveTail(settings.kafka, tuple(TOPICS))
    channels = (
        PeerChannel("profiler", addresses.profiler, own.timeout_s),
        PeerChannel("recommender", addresses.recommender, own.timeout_s),
        PeerChannel("chatbot", addresses.chatbot, own.chat_timeout_s),
        PeerChannel("content", addresses.content, own.chat_timeout_s),
    )
    desk = Desk()
    inner: tuple[Part, ...] = (Topics(settings.kafka), producer, view, live, *desk_views(desk, settings), *channels)
    app = application(
        producer,
        GrpcPeers(*channels),
        products,
        live,
        keys,
        desk=desk,
        settings=own,
        tenant=settings.tenant,
        report=lambda: {part.name: part.health() for part in inner},
    )
    server = HttpServer(
        "http", app, settings.http.host, settings.http.port, setting="RAPPORT_HTTP__PORT", proxies=own.trusted_proxies
    )
    return (*inner, server)
