"""Profiles come in; answers go out when they differ in a way that matters."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pytest

from rapport.events.behaviour import ProductReviewed
from rapport.events.recommendations import RankedItem, RecommendationMade
from rapport.ops.errors import UnavailableError
from rapport.testing import viewed
from services.recommender.domain.ranking import Assignment
from services.recommender.domain.rules import Policy
from tests.unit.recommender.goods import GOODS, profile
from tests.unit.recommender.shop import Shop, ids

NEEDS = {"Running shoes": "running shoes"}


class OneForAll:
    """A ranker by the sources' scores alone."""

    name = "sums@1"

    def of(self, tenant: str, customer_id: str) -> Assignment:
        return Assignment(self, (self,))

    def score(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.floating]:
        return np.asarray(features[:, :11].sum(axis=1) + 0.01 * features[:, 15])


async def test_a_first_profile_is_answered_with_the_object_that_a_call_gets(shop: Shop) -> None:
    (out,) = await shop.push(await shop.profile("ada", NEEDS, revision=3))
    made = out.event
    assert isinstance(made, RecommendationMade)
    assert (out.topic, out.key, out.tenant) == ("recommendations.v1", "ada", "default")
    assert out.event_id == made.recommendation_id
    assert (made.profile_revision, made.trigger_event_id, made.strategy) == (3, "event-3", "personalised")
    assert made.expires_at - made.created_at == timedelta(hours=6)
    asked = await shop.recommend("ada")
    assert asked.model_dump(exclude={"recommendation_id"}) == made.model_dump(exclude={"recommendation_id"})


async def test_nothing_is_said_while_the_first_products_stay_the_same(shop: Shop) -> None:
    await shop.push(await shop.profile("ada", NEEDS))
    assert await shop.push(await shop.profile("ada", NEEDS, revision=2)) == []
    (out,) = await shop.push(await shop.profile("ada", {"Lamps": "lamp"}, revision=3))
    assert isinstance(out.event, RecommendationMade)
    assert ids(out.event)[0].startswith("lamps")


async def test_an_expired_answer_is_renewed(shop: Shop) -> None:
    await shop.push(await shop.profile("ada", NEEDS))
    shop.now += timedelta(hours=6)
    assert len(await shop.push(await shop.profile("ada", NEEDS, revision=2))) == 1


async def test_of_many_profiles_in_a_batch_only_the_newest_is_answered(shop: Shop) -> None:
    first, second = profile("ada", ["Lamps"], encoder="fake@1"), profile("bob", encoder="fake@1")
    newest = await shop.profile("ada", NEEDS, revision=7)
    outs = await shop.push(first, second, newest)
    assert {out.key for out in outs} == {"ada", "bob"}
    (made,) = [out.event for out in outs if out.key == "ada"]
    assert isinstance(made, RecommendationMade)
    assert made.profile_revision == 7


async def test_a_batch_that_comes_again_after_a_crash_is_published_again_under_the_same_id(shop: Shop) -> None:
    ada = await shop.profile("ada", NEEDS)
    (before,) = await shop.push(ada, first_offset=50)
    (again,) = await shop.push(ada, first_offset=50)
    assert again.event_id == before.event_id
    # Once the batch is committed, the next begins behind it.
    assert await shop.push(await shop.profile("ada", NEEDS, revision=2), first_offset=51) == []


async def test_a_coalesced_repeat_is_not_lost(shop: Shop) -> None:
    # Revision 1 was answered in a batch that never was committed; then both come in one.
    one = await shop.profile("ada", NEEDS)
    await shop.push(one, first_offset=50)
    two = await shop.profile("ada", NEEDS, revision=2)
    assert len(await shop.push(one, two, first_offset=50)) == 1


async def test_redis_may_be_ahead_of_the_topic(shop: Shop) -> None:
    old = await shop.profile("ada", NEEDS)
    await shop.profile("ada", {"Lamps": "lamp", **NEEDS}, revision=2)
    (out,) = await shop.push(old)
    assert isinstance(out.event, RecommendationMade)
    # Vectors and labels of one revision: two vectors would not fit the one need that the message speaks of.
    assert out.event.profile_revision == 2
    assert out.event.strategy == "personalised"


async def test_a_customer_without_needs_gets_what_the_others_like(shop: Shop) -> None:
    await shop.behave(viewed("bob", "lamps-2"), viewed("eve", "lamps-2"))
    (out,) = await shop.push(await shop.profile("ada", {}))
    assert isinstance(out.event, RecommendationMade)
    assert out.event.strategy == "trending"
    assert out.event.fallbacks[0] == "personalised: the profile has no needs yet"


async def test_a_profile_that_is_gone_takes_its_answer_along(shop: Shop) -> None:
    ada = await shop.profile("ada", NEEDS)
    await shop.push(ada)
    (out,) = await shop.push(None, key="ada")
    assert (out.key, out.event) == ("ada", None)
    assert len(await shop.push(ada)) == 1


async def test_nothing_is_pushed_from_an_empty_shop() -> None:
    shop = Shop()
    assert await shop.push(await shop.profile("ada", NEEDS)) == []


async def test_without_redis_the_batch_waits(shop: Shop) -> None:
    ada = await shop.profile("ada", NEEDS)
    shop.counts.failure = UnavailableError("redis: down")
    with pytest.raises(UnavailableError):
        await shop.push(ada)


async def test_answers_made_together_are_those_made_one_by_one() -> None:
    """One search, one pass of the ranker, walks and boards that are shared: none of it may leak from one to another."""
    together, alone, some = [await _answers(at_once) for at_once in (4, 1, 3)]
    assert [made.customer_id for made in together] == ["ada", "bob", "cy", "dee"]
    assert len({tuple(ids(made)) for made in together}) == 4
    for others in (alone, some):
        for one, other in zip(together, others, strict=True):
            assert [_without_scores(item) for item in one.items] == [_without_scores(item) for item in other.items]
            # Products of matrices of another shape differ in the seventh digit.
            assert [item.score for item in one.items] == pytest.approx([item.score for item in other.items], abs=1e-5)
            assert (one.strategy, one.fallbacks, one.ranker) == (other.strategy, other.fallbacks, other.ranker)


async def _answers(at_once: int) -> list[RecommendationMade]:
    """Of four customers, so many in a batch."""
    wants = {"ada": {"Shoes": "running shoes"}, "bob": {"Lamps": "lamp", "Coffee": "moka pot"}, "cy": {}, "dee": {}}
    shop = Shop(Policy(diversity=0.15, explore=0.3, price_fit=0.2), rankers=OneForAll())
    await shop.stock(*GOODS.values())
    await shop.behave(*(viewed(who, id_) for who, id_ in zip("xyxyxy", GOODS, strict=False)), viewed("dee", "lamps-1"))
    shop.draw_graph()
    profiles = [await shop.profile(who, needs, recent_product_ids=["shoes-1"]) for who, needs in wants.items()]
    batches = [profiles[begin : begin + at_once] for begin in range(0, len(profiles), at_once)]
    outs = [out.event for batch in batches for out in await shop.push(*batch)]
    return [made for made in outs if isinstance(made, RecommendationMade)]


def _without_scores(item: RankedItem) -> tuple[object, ...]:
    return item.product_id, item.propensity, [(reason.kind, reason.text, reason.path) for reason in item.reasons]


async def test_what_was_known_under_another_id_follows_to_the_customer(shop: Shop) -> None:
    for other in ("bob", "eve"):
        await shop.behave(viewed(other, "coffee-1"), viewed(other, "coffee-2"), viewed(other, "coffee-3"))
    await shop.behave(viewed("visitor", "coffee-1"))
    review = {"customer_id": "visitor", "product_id": "coffee-2", "review_body": "Broke", "rating": 1}
    await shop.behave(ProductReviewed.model_validate(review))
    before = await shop.profile("visitor", {})
    assert len(await shop.push(before)) == 1
    merged = await shop.profile("visitor", {}, revision=2, merged_into="ada")
    ada = await shop.profile("ada", NEEDS, merged_ids=["visitor"])
    farewell, out = await shop.push(merged, ada)
    assert (farewell.key, farewell.event) == ("visitor", None)
    assert isinstance(out.event, RecommendationMade)
    # What the visitor panned is not shown to ada, and what goes with what they looked at is.
    asked = await shop.recommend("ada")
    assert "coffee-2" not in ids(asked)
    assert asked.items[0].reasons
    assert "co_visited" in {kind for item in asked.items for kind in item.source_scores}
    # A page that still has the old id.
    assert (await shop.recommend("visitor")).customer_id == "ada"
