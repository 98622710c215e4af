"""Which topics feed which handler."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rapport.bus.consumer import HandlerConsumer
from rapport.bus.messages import Message, Outgoing
from rapport.bus.view import TopicView
from rapport.ops.settings import Settings
from services.recommender.adapters.index_queue import IndexQueue
from services.recommender.adapters.redis_counts import RedisCounts
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.counting import DayOf
from services.recommender.handlers import Answers, behaviours_seen, catalogue_changed, profiles_updated
from services.recommender.ports import (
    Arrivals,
    Items,
    ItemVectors,
    Merges,
    Orders,
    Pushes,
    ServedLog,
    Wishing,
    WishStore,
)

BEHAVIOUR_GROUP, PROFILE_GROUP = "recommender-behaviour", "recommender-profiles"
# Profiles taken at once. Of a customer's profiles among them only the newest is answered, so under load a larger batch
# is less work; one answer takes a millisecond or two, and more of them would keep the first one waiting.
_PROFILES_AT_ONCE = 128
# What goes together and what is trending may be known a moment later: the customer's own products come with the
# profile.
_COUNTED_EVERY_S = 0.1
# How long pushing waits, once, for the catalogue's vectors to come from Redis. Longer, and the consumer seems stalled.
_INDEXED_WITHIN_S = 20.0


def catalogue_view(
    catalogues: Catalogues,
    items: Items,
    vectors: ItemVectors,
    arrivals: Arrivals,
    indexing: IndexQueue,
    settings: Settings,
) -> TopicView:
    """Every replica holds the whole catalogue."""

    async def apply(messages: Sequence[Message]) -> None:
        await catalogue_changed(
            messages, catalogues=catalogues, items=items, vectors=vectors, arrivals=arrivals, indexing=indexing
        )

    return TopicView("recommender", "catalog.v1", apply, settings)


def behaviour_consumer(
    counts: RedisCounts, served: ServedLog, orders: Orders, day_of: DayOf, settings: Settings
) -> HandlerConsumer:
    """Begins after what is counted in Redis, whatever the group has committed."""

    async def handle(messages: Sequence[Message]) -> Sequence[Outgoing]:
        return await behaviours_seen(messages, counts=counts, served=served, orders=orders, day_of=day_of)

    return HandlerConsumer(
        BEHAVIOUR_GROUP, ["clickstream.v1"], handle, settings,
        commit_interval_s=_COUNTED_EVERY_S, reached=counts.reached,
    )  # fmt: skip


def profile_consumer(
    answers: Answers,
    pushes: Pushes,
    merges: Merges,
    items: int,
    caught_up: asyncio.Event,
    indexing: IndexQueue,
    settings: Settings,
    *,
    wishing: Wishing | None,
    wishes: WishStore,
) -> HandlerConsumer:
    """`caught_up`: set when the catalogue is there; before, there would be nothing to show."""
    waited = False

    async def handle(messages: Sequence[Message]) -> Sequence[Outgoing]:
        nonlocal waited
        await caught_up.wait()
        if not waited:
            await indexing.settled(_INDEXED_WITHIN_S)
            waited = True
        return await profiles_updated(
            messages, answers=answers, pushes=pushes, merges=merges, items=items, wishing=wishing, wishes=wishes
        )

    return HandlerConsumer(PROFILE_GROUP, ["profiles.v1"], handle, settings, max_batch=_PROFILES_AT_ONCE)
