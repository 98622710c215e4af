"""What the language model writes is matched to the catalogue, and never shown as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rapport.events.profiles import ProfileUpdated
from services.recommender.adapters.wish_queue import WishQueue
from services.recommender.domain.wishing import wishes_of
from services.recommender.handlers.wishing import wish
from services.recommender.ports import Vectors
from tests.unit.recommender.goods import profile
from tests.unit.recommender.shop import TENANT, Shop, ids, texts

ANSWER = "1. Desk lamp\n2) moka coffee pot: for the morning\n- Running shoes\n\n* desk lamp\n" + "x" * 80


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
    assert wishes_of(ANSWER, ["Running shoes"]) == [
        "Desk lamp",
        "moka coffee pot",
    ]
    assert wishes_of("") == []


async def test_a_wish_brings_products_that_no_need_knows(shop: Shop) -> None:
    ada = await shop.profile("ada", {"Running shoes": "running shoes"}, recent_product_ids=["shoes-0"])
    model, store = Model(), Store(shop)
    written = await wish(TENANT, ada, catalogues=shop.catalogues, writer=model, encoder=shop.encoder, store=store)
    assert written[:2] == ["Desk lamp", "moka coffee pot"]
    (told,) = [text for role, text in model.asked[0] if role == "user"]
    assert told == "Interests: Running shoes\nLooked at: trail running shoes"
    made = await shop.recommend("ada")
    assert "A likely next wish of yours" in texts(made, "lamps-0")
    assert ids(made)[0].startswith("shoes")


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


async def test_nothing_is_asked_about_a_customer_of_whom_nothing_is_known(shop: Shop) -> None:
    model = Model()
    unknown = await shop.profile("eve", {})
    store = Store(shop)
    assert (
        await wish(TENANT, unknown, catalogues=shop.catalogues, writer=model, encoder=shop.encoder, store=store) == []
    )
    assert model.asked == []
