"""Every customer as the profiler knows them, read from its changelog: nothing is asked of the running process."""

from __future__ import annotations

import zlib

from rapport.bus.client import topic_name
from rapport.bus.keyed_state import Entry
from rapport.bus.reading import read_topic
from rapport.bus.stateful import state_topic
from rapport.ops.errors import NotFound
from rapport.ops.settings import Settings
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.adapters.states import parse_state_key
from services.profiler.domain.customer import Customer
from services.profiler.stream import GROUP

# More customers do not move centroids or rates that a marketer could see, and these fit into some 200 MB.
MOST = 20_000


async def known_customers(settings: Settings, tenant: str, most: int = MOST) -> dict[str, Customer]:
    """By id, as last committed; of more than `most` customers a sample that stays the same from call to call.

    Raises `UnavailableError` without a broker, `NotFound` when the profiler has seen nobody yet.
    """
    codec, kept = CustomerCodec(), dict[str, bytes]()
    share = 1 << 32
    async for record in read_topic(settings.kafka, topic_name(settings.kafka, state_topic(GROUP).name)):
        owner, customer_id = parse_state_key((record.key or b"").decode())
        if owner != tenant or zlib.crc32(customer_id.encode()) >= share:
            continue
        if record.value is None:
            kept.pop(customer_id, None)
        else:
            kept[customer_id] = Entry.unpack(record.value).value
        while len(kept) > most:
            share //= 2
            kept = {id_: value for id_, value in kept.items() if zlib.crc32(id_.encode()) < share}
    if not kept:
        raise NotFound("the profiler has seen nobody yet", fix="let it run on events first")
    customers = {id_: codec.decode(value) for id_, value in kept.items()}
    # Who is another customer by now is known there.
    return {id_: customer for id_, customer in customers.items() if not customer.merged_into}
