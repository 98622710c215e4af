"""What the language model writes is matched to the catalogue, and never shown as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import pytest

from rapport.events.profiles import ProfileUpdated
from services.recommender.adapters.wish_queue import WishQueue
from services.recommender.domain.wishing import wishes_of
from services.recommender.handlers.wishing import wish
from services.recommender.ports import Vectors
from tests.unit.recommender.goods import product, profile
from tests.unit.recommender.shop import TENANT, Shop, ids, texts

ANSWER = "1. Desk lamp\n2) trail shoes belt: for the keys\n- Running shoes\n\n* desk lamp\nTuners\n" + "x" * 80

Ask = Callable[[ProfileUpdated], Awaitable[list[str]]]


class Model:
    def __init__(self) -> None:
        self.asked: list[Sequence[tuple[str, str]]] = []

    async def write(self, asked: Sequence[tuple[str, str]]) -> str:
        self.asked.append(asked)
        return ANSWER


class Store:
    """`WishStore` that the shop's memory reads."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def keep(self, tenant: str, customer_id: str, space: str, texts: Sequence[str], vectors: Vectors) -> None:
        self._shop.counts.wishes[customer_id] = tuple(texts), vectors

    async def forget(self, tenant: str, customers: Sequence[str]) -> None:
        for customer in customers:
            self._shop.counts.wishes.pop(customer, None)


def test_lines_become_wishes_without_numbering_repeats_and_what_is_known() -> None:
    assert wishes_of(ANSWER, ["Running shoes"]) == ["Desk lamp", "trail shoes belt"]
    assert wishes_of("") == []


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def ask(shop: Shop, model: Model) -> Ask:
    return partial(
        wish,
        TENANT,
        catalogues=shop.catalogues,
        items=shop.items,
        writer=model,
        encoder=shop.encoder,
        store=Store(shop),
    )


async def test_a_wish_brings_products_that_no_need_knows(shop: Shop, model: Model, ask: Ask) -> None:
    await shop.stock(product("belt", "trail shoes belt", "belts"))
    ada = await shop.profile("ada", {"Running shoes": "running shoes"}, recent_product_ids=["shoes-0"])
    # Lamps have nothing to do with what she looks at.
    assert await ask(ada) == ["trail shoes belt"]
    assert model.asked[0][-1] == ("user", "Looked at: Running shoes, shoes")
    made = await shop.recommend("ada")
    assert "A likely next wish of yours" in texts(made, "belt")
    assert ids(made)[0].startswith("shoes")


async def test_wishes_that_say_nothing_new_replace_those_that_did(shop: Shop, ask: Ask) -> None:
    belt = product("belt", "trail shoes belt", "belts")
    await shop.stock(belt)
    assert await ask(await shop.profile("ada", {}, recent_product_ids=["shoes-0"])) == ["trail shoes belt"]
    assert await ask(await shop.profile("ada", {}, recent_product_ids=["shoes-0", "belt"])) == []
    assert "ada" not in shop.counts.wishes


async def test_the_newest_customers_come_first_and_each_once_in_a_while() -> None:
    seen: list[str] = []

    async def write(_tenant: str, made: ProfileUpdated) -> Sequence[str]:
        seen.append(made.customer_id)
        return ()

    queue = WishQueue(write, every_s=0.0)
    for name in ("a", "b", "c", "a"):
        queue.note(TENANT, profile(name))
    await queue.start()
    async with asyncio.timeout(5):
        while len(seen) < 3:  # noqa: ASYNC110 - a deadline, not an event, is what is tested
            await asyncio.sleep(0.01)
    assert seen == ["a", "c", "b"]
    queue.note(TENANT, profile("a"))
    assert queue.health().detail == "0 customers wait"
    await queue.stop()


async def test_nothing_is_asked_about_a_customer_of_whom_nothing_is_known(shop: Shop, model: Model, ask: Ask) -> None:
    assert await ask(await shop.profile("eve", {})) == []
    assert model.asked == []
