"""TopicView: the whole topic at the start, then what comes; tombstones; malformed records passed over."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.local.servers import EmbeddedServers
from rapport.bus.client import topic_name
from rapport.bus.messages import Message, Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.records import Sending
from rapport.bus.topics import ensure_topics
from rapport.bus.view import TopicView
from rapport.events.catalog import ProductUpserted
from rapport.events.topics import topic_named
from rapport.ops.errors import EnrichmentError
from rapport.ops.settings import Settings
from tests.integration.bus.support import living, settings_on, until

CATALOG = "catalog.v1"


class Shelf:
    """What a service would build from a view."""

    def __init__(self) -> None:
        self.titles: dict[str, str] = {}
        self.failures = 0

    async def apply(self, messages: Sequence[Message]) -> None:
        if self.failures:
            self.failures -= 1
            raise EnrichmentError("the worker loads its model")
        for message in messages:
            if message.event is None:
                self.titles.pop(message.key, None)
            elif isinstance(message.event, ProductUpserted):
                self.titles[message.key] = message.event.title["en"]


def product(number: int, title: str) -> Outgoing:
    event = ProductUpserted(product_id=f"p{number}", title={"en": title})
    return Outgoing(CATALOG, event.product_id, event, f"{event.product_id}-{title}", "default")


def delisted(number: int) -> Outgoing:
    return Outgoing(CATALOG, f"p{number}", None, f"gone-{number}", "default")


async def _catalog(servers: EmbeddedServers) -> Settings:
    settings = settings_on(servers.bootstrap_servers)
    await ensure_topics(settings.kafka, [topic_named(CATALOG)])
    return settings


async def test_it_is_ready_once_caught_up_and_follows_from_there(servers: EmbeddedServers) -> None:
    settings = await _catalog(servers)
    shelf, other = Shelf(), Shelf()
    producer = EventProducer("test", settings.kafka)
    async with living(producer):
        await producer.send_many([product(number, "old") for number in range(600)])
        await producer.send_many([product(number, "new") for number in range(100)])
        await producer.send_many([delisted(number) for number in range(500, 600)])
        views = TopicView("a", CATALOG, shelf.apply, settings), TopicView("b", CATALOG, other.apply, settings)
        async with living(*views):
            assert len(shelf.titles) == len(other.titles) == 500
            assert [shelf.titles[f"p{number}"] for number in (0, 99, 100, 499)] == ["new", "new", "old", "old"]
            await producer.send_many([product(7, "newest"), delisted(8)])
            await until(lambda: shelf.titles == other.titles and shelf.titles["p7"] == "newest", 30)
            await until(lambda: "p8" not in shelf.titles, 30)
            assert all(view.health().ready for view in views)


async def test_an_empty_topic_is_caught_up_at_once(servers: EmbeddedServers) -> None:
    async with living(TopicView("a", CATALOG, Shelf().apply, await _catalog(servers))):
        pass


async def test_it_waits_for_what_is_not_there_yet_and_passes_over_what_is_malformed(servers: EmbeddedServers) -> None:
    settings = await _catalog(servers)
    shelf = Shelf()
    shelf.failures = 3
    producer = EventProducer("test", settings.kafka)
    view = TopicView("a", CATALOG, shelf.apply, settings)
    async with living(producer):
        name = topic_name(settings.kafka, CATALOG)
        await producer.send_many([product(number, "good") for number in range(30)])
        await producer.send_records([Sending(name, b"p1", b"{oops", ()), Sending(name, b"p2", b"x" * 2_000_000, ())])
        async with living(view):
            assert shelf.titles == {f"p{number}": "good" for number in range(30)}
