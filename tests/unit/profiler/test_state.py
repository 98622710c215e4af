"""State as bytes, serving copies and their keeper."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rapport.ops.errors import NotFound, StateConflict, UnavailableError
from rapport.testing import MemoryKeyValues, ordered, searched, viewed
from rapport.vectors.serving_copy import ServingCopy
from services.profiler.adapters.codec import CustomerCodec
from services.profiler.adapters.copies import RedisCopies
from services.profiler.adapters.keeper import CopyKeeper
from services.profiler.adapters.states import parse_state_key, sealed_pages, state_key
from services.profiler.answers import find_profile
from services.profiler.domain.customer import Customer
from services.profiler.handlers import serve_again
from services.profiler.ports import Key, Sealed

if TYPE_CHECKING:
    from tests.unit.profiler.conftest import Shop


async def test_a_customer_reads_back_as_written(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"), ordered("c1", "o1", "coffee-0"), searched("c1", "耳机"))
    kept, codec = shop.kept(), CustomerCodec()
    again = codec.decode(codec.encode(kept))
    for ours, theirs in zip(again.spectrum.needs, kept.spectrum.needs, strict=True):
        assert np.array_equal(ours.vector, theirs.vector)
        assert ours.label == theirs.label
    assert (again.value, again.session, again.affinities, again.bought) == (
        kept.value,
        kept.session,
        kept.affinities,
        kept.bought,
    )


async def test_needs_take_two_bytes_a_number(shop: Shop) -> None:
    def size() -> int:
        return len(shop.codec.encode(replace(Customer.nobody(0), spectrum=shop.kept().spectrum)))

    await shop.happen(viewed("c1", "running-0"))
    one = size()
    await shop.happen(searched("c1", "telescope"), minutes=1)
    assert size() - one < 2 * 128 + 250


@pytest.mark.parametrize("stored", [b"", b"\x03", b"\x01\x80", b"\x02", b"\x02\x80", b"\x02\xff\xff"])
def test_other_bytes_are_refused(stored: bytes) -> None:
    with pytest.raises(StateConflict):
        CustomerCodec().decode(stored)


@pytest.mark.parametrize("key", [("default", "c1"), ("a|b", "c|d"), ("50%", "%7C"), ("%7C", "x")])
def test_state_keys_read_back(key: tuple[str, str]) -> None:
    assert parse_state_key(state_key(key)) == key


async def test_nobody_is_not_found(shop: Shop) -> None:
    with pytest.raises(NotFound):
        await find_profile(("default", "nobody"), shop.copies)


async def filled(shop: Shop, customers: int) -> list[tuple[str, bytes]]:
    """The group's whole state after a look from each customer."""
    names = [f"c{number}" for number in range(customers)]
    await shop.take(*[shop.at(viewed(name, "running-0")) for name in names])
    return [(f"default|{name}", shop.state.get(f"default|{name}") or b"") for name in names]


async def test_a_lost_redis_is_filled_again_from_the_state(shop: Shop) -> None:
    stored = await filled(shop, customers=70)
    before = await shop.profile("c3")
    shop.redis._values.clear()
    assert not await shop.copies.intact()
    assert await serve_again(sealed_pages(stored, shop.codec), shop.ports, shop.rules) == 70
    assert await shop.copies.intact()
    assert await shop.profile("c3") == before
    assert (await shop.store.embeddings.get_many("default", "need", ["c3"])).vectors["c3"].shape == (1, 128)


async def test_only_what_is_behind_is_written_again(shop: Shop) -> None:
    stored = await filled(shop, customers=5)
    newer = await shop.happen(viewed("c1", "coffee-0"), minutes=1)
    assert await serve_again(sealed_pages(stored, shop.codec), shop.ports, shop.rules) == 0
    assert await shop.profile("c1") == newer


async def test_who_is_there_is_not_even_opened(shop: Shop) -> None:
    stored = await filled(shop, customers=3)
    await shop.store.delete("default", {"profile": ["c1"]})
    opened: list[str] = []
    [page] = sealed_pages(stored, shop.codec)

    def noted(key: Key, sealed: Sealed) -> Customer:
        opened.append(key[1])
        return sealed.open()

    watched = {key: replace(each, open=partial(noted, key, each)) for key, each in page.items()}
    assert await serve_again([watched], shop.ports, shop.rules) == 1
    assert opened == ["c1"]


async def test_a_redis_that_lost_its_last_writes_is_noticed(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"))
    snapshot = dict(shop.redis._values)
    await shop.happen(viewed("c1", "running-1"), minutes=1)
    shop.redis._values = snapshot
    assert not await shop.copies.intact()


async def test_a_new_encoder_reaches_those_who_are_not_seen_again(shop: Shop) -> None:
    stored = await filled(shop, customers=5)
    shop.encoder.model = "fake@2"
    await shop.happen(searched("c1", "telescope"), minutes=1)
    assert not await shop.copies.intact()
    assert await serve_again(sealed_pages(stored, shop.codec), shop.ports, shop.rules) == 4
    found = await shop.store.embeddings.get_many("default", "need", [f"c{number}" for number in range(5)])
    assert (str(found.space), len(found.vectors)) == ("fake@2", 5)
    assert found.vectors["c3"][0] @ shop.encoder.vector("Ridge Running shoes, Running shoes, Fernhill") > 0.99
    assert await shop.copies.intact()


async def eventually(what: Callable[[], bool], deadline_s: float = 5.0) -> None:
    async with asyncio.timeout(deadline_s):
        while not what():  # noqa: ASYNC110 - the keeper tells nobody
            await asyncio.sleep(0.005)


async def test_the_keeper_restores_at_the_start_and_after_a_loss(shop: Shop) -> None:
    stored = await filled(shop, customers=3)
    empty = MemoryKeyValues()
    copies = RedisCopies(ServingCopy(empty))
    ports = replace(shop.ports, copies=copies)
    restored: list[int] = []

    async def restore() -> int:
        if len(restored) == 1:
            restored.append(-1)
            raise UnavailableError("redis: down again")
        restored.append(await serve_again(sealed_pages(stored, shop.codec), ports, shop.rules))
        return restored[-1]

    owns = False
    keeper = CopyKeeper(lambda: owns, copies.intact, restore, every_s=0.005)
    await keeper.start()
    try:
        await asyncio.sleep(0.02)
        assert restored == []
        owns = True
        await eventually(lambda: restored == [3])
        empty._values.clear()
        await eventually(lambda: restored == [3, -1, 3])
        assert keeper.health().live
    finally:
        await keeper.stop()
