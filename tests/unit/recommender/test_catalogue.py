"""Products come in, change and go; encoders come and go beneath them."""

from __future__ import annotations

import pytest

from rapport.ops.errors import UnavailableError
from rapport.testing import FakeEncoder, viewed
from rapport.vectors.exact import ExactIndex
from services.recommender.adapters.item_indexes import ItemIndexes
from services.recommender.handlers import similar
from tests.unit.recommender.goods import GOODS, product
from tests.unit.recommender.memory import Waiting
from tests.unit.recommender.shop import TENANT, Shop, ids, texts


async def test_a_product_can_be_recommended_before_it_is_embedded() -> None:
    shop = Shop()
    await shop.stock(GOODS["lamps-0"], index=False)
    assert ids(await shop.recommend()) == ["lamps-0"]
    await shop.profile("ada", {"Lamps": "lamp"})
    made = await shop.recommend("ada")
    assert made.fallbacks[0] == "personalised: the catalogue is not embedded yet"


async def test_a_third_copy_of_a_product_is_within_reach_of_everybody(shop: Shop) -> None:
    """Of products that are all the same a list need not hold every one, whatever came in last."""
    await shop.stock(*(product(f"copy-{number}", "red wool mitten", "gloves") for number in (1, 2)))
    await shop.profile("ada", {"Gloves": "red wool mitten"})
    await shop.stock(product("copy-3", "red wool mitten", "gloves"))
    assert {"copy-2", "copy-3"} <= set(ids(await similar(TENANT, "copy-1", 3, shop.answers)))
    ranked, _ = await shop.rank("ada", "copy-3", "copy-1", "shoes-0")
    scores = {item.product_id: item.score for item in ranked.items}
    assert scores["copy-3"] == scores["copy-1"] > scores["shoes-0"]
    assert texts(ranked, "copy-3") == texts(ranked, "copy-1") == ["Close to your interest in Gloves"]
    # Once the others are gone for this customer, it takes their place.
    await shop.profile("ada", {"Gloves": "red wool mitten"}, recent_product_ids=["copy-1"])
    await shop.stock(product("copy-2", "red wool mitten", "gloves", stock=0))
    assert ids(await shop.recommend("ada", limit=2))[0] == "copy-3"


async def test_a_tombstone_takes_a_product_off_at_once_everywhere(shop: Shop) -> None:
    await shop.profile("ada", {"Lamps": "lamp"})
    await shop.behave(viewed("bob", "lamps-0"), viewed("bob", "lamps-1"), viewed("ada", "lamps-1"))
    assert "lamps-0" in ids(await shop.recommend("ada"))
    await shop.delist("lamps-0")
    assert "lamps-0" not in ids(await shop.recommend("ada", limit=100))
    assert "lamps-0" not in await shop.items.vectors(TENANT, ["lamps-0"])
    assert await shop.vectors.known(TENANT, shop.encoder.model, [shop.catalogues.of(TENANT).products["lamps-1"]])


async def test_what_comes_back_is_embedded_again(shop: Shop) -> None:
    await shop.delist("lamps-0")
    await shop.stock(GOODS["lamps-0"])
    assert "lamps-0" in await shop.items.vectors(TENANT, ["lamps-0"])


async def test_only_a_new_text_costs_an_embedding(shop: Shop) -> None:
    shop.encoder.calls.clear()
    await shop.stock(product("lamps-0", "desk lamp", "lamps", price="1.00", stock=3, image_url="x.png"))
    assert shop.encoder.calls == []
    await shop.stock(product("lamps-0", "oak desk lamp", "lamps"))
    assert [len(call) for call in shop.encoder.calls] == [1]


async def test_a_restart_finds_the_vectors_in_redis(shop: Shop) -> None:
    shop.encoder.calls.clear()
    shop.items = ItemIndexes(lambda _tenant, _space: ExactIndex())
    shop.indexing.add(TENANT, GOODS)
    await shop.index(at_once=4)
    assert shop.encoder.calls == []
    assert shop.items.space(TENANT) == shop.encoder.model
    assert "shoes-3" in await shop.items.vectors(TENANT, ["shoes-3"])


async def test_products_changed_while_they_were_embedded_are_not_indexed_by_the_old_text() -> None:
    shop = Shop()
    await shop.stock(GOODS["lamps-0"], GOODS["lamps-1"], index=False)

    class Slow(FakeEncoder):
        async def embed(self, texts, **more):  # type: ignore[no-untyped-def]
            if not self.calls:
                await shop.delist("lamps-1")
                await shop.stock(product("lamps-0", "brass lamp", "lamps"), index=False)
            return await super().embed(texts, **more)

    shop.encoder = Slow()
    await shop.index(batches=1)
    assert "lamps-0" not in await shop.items.vectors(TENANT, ["lamps-0"])
    await shop.index()
    assert "lamps-1" not in await shop.items.vectors(TENANT, ["lamps-1"])
    found = (await shop.items.vectors(TENANT, ["lamps-0"]))["lamps-0"]
    assert found is not None
    brass = shop.catalogues.of(TENANT).products["lamps-0"].text
    assert found == pytest.approx(shop.encoder.vector(brass), abs=1e-3)


async def test_another_encoder_takes_over_when_the_whole_catalogue_is_in_it(shop: Shop) -> None:
    old, new = shop.encoder, FakeEncoder(dimensions=64, model="fake@2")
    shop.encoder = new
    await shop.stock(product("lamps-9", "night lamp", "lamps"), index=False)
    ids_waiting = list(shop.indexing.ids[TENANT])
    assert ids_waiting == ["lamps-9"]
    spaces = []

    class Watched(Waiting):
        def waiting(self, tenant: str) -> bool:
            spaces.append(shop.items.space(TENANT))
            return super().waiting(tenant)

    watched = Watched()
    watched.ids, shop.indexing = shop.indexing.ids, watched
    await shop.index(at_once=5)
    # Searched in the old space until the last batch, then in the new one.
    assert set(spaces) == {old.model}
    assert shop.items.space(TENANT) == new.model
    assert await shop.vectors.space(TENANT) == new.model
    assert sum(map(len, new.calls)) == 16
    await shop.profile("ada", {"Running shoes": "running shoes"})
    assert (await shop.recommend("ada")).encoder == new.model


async def test_a_changed_encoder_is_noticed_without_any_new_product(shop: Shop) -> None:
    await shop.check_encoder()
    assert not shop.indexing.waiting(TENANT)
    shop.encoder = FakeEncoder(model="fake@2")
    await shop.check_encoder()
    await shop.index()
    assert shop.items.space(TENANT) == "fake@2"
    # The first space is still in Redis, should the encoder be rolled back: nothing is embedded twice.
    shop.encoder = FakeEncoder(model="fake@1")
    await shop.check_encoder()
    await shop.index()
    assert shop.items.space(TENANT) == "fake@1"


async def test_without_redis_products_are_sold_all_the_same(shop: Shop) -> None:
    shop.arrivals.failure = UnavailableError("redis: down")
    shop.arrivals.new = {"lamps-9"}
    await shop.stock(product("lamps-9", "night lamp", "lamps"), index=False)
    assert "lamps-9" in ids(await shop.recommend(limit=100))


async def test_tenants_do_not_see_each_other_s_products(shop: Shop) -> None:
    from services.recommender.domain.rules import Wish
    from services.recommender.handlers import Ask, recommend

    told = await recommend(Ask("another shop", "", Wish(10)), shop.answers)
    assert told.made.items == ()
