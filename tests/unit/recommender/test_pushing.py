"""Profiles come in; answers go out when they differ in a way that matters."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapport.events.recommendations import RecommendationMade
from rapport.ops.errors import UnavailableError
from rapport.testing import viewed
from tests.unit.recommender.conftest import Shop, ids, profile

NEEDS = {"Running shoes": "running shoes"}


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
