"""Behaviour comes in: what goes together, what is trending, what is popular."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.messages import Message, Outgoing
from rapport.ops.errors import UnavailableError
from services.recommender.domain.counting import DayOf, count
from services.recommender.domain.looks import look_of
from services.recommender.handlers.event_time import event_ms
from services.recommender.handlers.feedback import impressions
from services.recommender.handlers.refunds import with_products
from services.recommender.ports import Counts, Orders, ServedLog

# Messages counted at once. Storing them holds Redis up for a few milliseconds, orders of many lines for longest.
_AT_ONCE = 64
# Two owners of one partition overlap for a moment at most, while it changes hands.
_TRIES = 5


async def behaviours_seen(
    messages: Sequence[Message], *, counts: Counts, served: ServedLog, orders: Orders, day_of: DayOf
) -> Sequence[Outgoing]:
    """Counts a batch of one partition, each message once in effect. Publishes what was seen of the answers given."""
    by_tenant: dict[str, list[Message]] = {}
    for message in messages:
        by_tenant.setdefault(message.envelope.tenant, []).append(message)
    outgoing: list[Outgoing] = []
    for tenant, part in by_tenant.items():
        for some in _in_pieces(await with_products(tenant, part, orders)):
            await _count(tenant, some, counts, day_of)
        outgoing += await impressions(tenant, part, served)
    await counts.reach(messages[-1].position)
    return outgoing


async def _count(tenant: str, messages: Sequence[Message], counts: Counts, day_of: DayOf) -> None:
    seen = [(message.position, look_of(message.event, message.key, event_ms(message))) for message in messages]
    looks = [(position, look) for position, look in seen if look is not None]
    if not looks:
        return
    last, customers = looks[-1][0], {look.customer_id for _, look in looks}
    for _ in range(_TRIES):
        after, trails, reactions = await counts.load(tenant, last, customers)
        fresh = [look for position, look in looks if position.offset > after]
        if not fresh or await counts.add(tenant, count(fresh, trails, reactions, day_of), after, last):
            return
    raise UnavailableError(f"{last.topic}/{last.partition} is being counted by somebody else")


def _in_pieces(messages: Sequence[Message]) -> list[Sequence[Message]]:
    return [messages[begin : begin + _AT_ONCE] for begin in range(0, len(messages), _AT_ONCE)]
