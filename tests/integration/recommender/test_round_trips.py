"""How often a call goes to Redis."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from redis.asyncio.connection import AbstractConnection

from rapport.testing import FakeEncoder, message, random_name, viewed
from rapport.vectors.connection import RedisConnection
from rapport.vectors.exact import ExactIndex
from rapport.vectors.keys import Space
from rapport.vectors.serving_copy import ServingCopy
from services.recommender.adapters.item_indexes import ItemIndexes
from services.recommender.adapters.redis_counts import RedisCounts
from services.recommender.adapters.redis_memory import RedisMemory
from services.recommender.adapters.served_log import RedisServedLog
from services.recommender.domain.rules import Policy, Wish
from services.recommender.handlers import Ask, behaviours_seen, rank, recommend, similar, trending
from services.recommender.ports import Known
from tests.integration.vectors.conftest import OwnRedis, own_redis  # noqa: F401 - a fixture
from tests.unit.recommender.goods import GOODS, profile
from tests.unit.recommender.memory import MemoryOrders, MemoryServed
from tests.unit.recommender.shop import Shop, day_of

NOW = datetime(2026, 3, 5, 10, tzinfo=UTC)


async def test_every_call_takes_one_round_trip_at_most(own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Counted where requests leave for the server. What is of all shoppers is read some times a second only."""
    connection, shop, encoder = RedisConnection(own_redis.settings()), Shop(), FakeEncoder()
    await connection.start()
    shop.items = ItemIndexes(lambda _tenant, _space: ExactIndex())
    await shop.stock(*GOODS.values())
    tenant = "default"
    counts = RedisCounts(connection, tenant, random_name("t"))
    looks = [viewed("ada", "shoes-0"), viewed("ada", "lamps-0"), viewed("bob", "lamps-1")]
    seen = [message(look, offset, at=NOW, tenant=tenant) for offset, look in enumerate(looks)]
    await behaviours_seen(seen, counts=counts, served=MemoryServed(), orders=MemoryOrders(), day_of=day_of)
    made = profile("ada", ["Shoes", "Lamps"], encoder=encoder.model)
    vectors = np.stack([encoder.vector("running shoes"), encoder.vector("lamp")])
    store = ServingCopy(connection)
    await store.put(
        tenant, {"profile": {"ada": made.to_json()}}, {"need": {"ada": vectors}}, Space.parse(encoder.model)
    )
    answers = replace(
        shop.answers,
        items=shop.items,
        memory=RedisMemory(connection, lambda: NOW.date().isoformat()),
        clock=lambda: NOW,
        # Diversity and exploration compare vectors, which must not cost a round trip either.
        policy=Policy(diversity=0.3, explore=0.1),
        served=RedisServedLog(connection, 60),
    )
    sent = 0
    send = AbstractConnection.send_packed_command

    async def counting(self: Any, *arguments: Any, **more: Any) -> None:
        nonlocal sent
        sent += 1
        await send(self, *arguments, **more)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counting)
    connection_pool_warm = await recommend(Ask(tenant, "ada", Wish(5)), answers)
    assert connection_pool_warm.made.strategy == "personalised"
    for call in (
        lambda: recommend(Ask(tenant, "ada", Wish(5)), answers),
        lambda: recommend(Ask(tenant, "", Wish(5)), answers),
        lambda: rank(tenant, "ada", ["shoes-1", "lamps-1"], "", answers),
        lambda: similar(tenant, "shoes-1", 5, answers),
        lambda: trending(tenant, 5, "", answers),
    ):
        sent = 0
        await call()
        assert sent <= 1
    # Of a batch of profiles too: all customers are recalled together.
    sent = 0
    known, _ = await answers.memory.recall(tenant, {f"c{number}": Known() for number in range(150)}, encoder.model)
    assert sent == 1
    assert len(known) == 150
    await connection.stop()
