"""The need spectrum, seen from outside: behaviour goes in, needs come out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rapport.events.behaviour import ProductAdded, ProductListViewed, ProductRemoved, ProductReviewed
from rapport.events.profiles import ProfileUpdated
from rapport.ops.errors import UnavailableError
from rapport.testing import ordered, searched, viewed

if TYPE_CHECKING:
    from tests.unit.profiler.conftest import Shop


def strength(profile: ProfileUpdated, label: str) -> float:
    return {need.label: need.strength for need in profile.needs}.get(label, 0.0)


async def test_views_of_one_kind_are_one_need_with_its_evidence(shop: Shop) -> None:
    profile = await shop.happen(viewed("c1", "running-0"), viewed("c1", "running-1"), viewed("c1", "running-2"))
    [need] = profile.needs
    assert (need.label, need.strength) == ("Running shoes", 1.0)
    assert need.evidence == ("clickstream.v1/0/3", "clickstream.v1/0/2", "clickstream.v1/0/1")


async def test_another_kind_opens_a_need_of_its_own(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"), viewed("c1", "running-1"))
    profile = await shop.happen(viewed("c1", "coffee-0"), minutes=1)
    assert [need.label for need in profile.needs] == ["Running shoes", "Coffee makers"]
    assert sum(need.strength for need in profile.needs) == pytest.approx(1)
    assert profile.needs[0].strength == pytest.approx(2 / 3, abs=0.001)


async def test_buying_says_more_than_looking(shop: Shop) -> None:
    looks = [viewed("c1", f"coffee-{number}") for number in range(3)]
    profile = await shop.happen(*looks, ordered("c1", "o1", "headphones-0"))
    assert profile.needs[0].label == "Headphones"


async def test_a_search_belongs_to_the_need_that_it_means(shop: Shop) -> None:
    profile = await shop.happen(viewed("c1", "running-0"), viewed("c1", "coffee-0"), searched("c1", "running shoes"))
    assert len(profile.needs) == 2
    assert strength(profile, "Running shoes") == pytest.approx(0.75, abs=0.01)


async def test_a_search_alone_names_its_need(shop: Shop) -> None:
    profile = await shop.happen(searched("c1", "跑步鞋 男"))
    assert [need.label for need in profile.needs] == ["跑步鞋 男"]


async def test_a_half_life_halves(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"))
    profile = await shop.happen(viewed("c1", "coffee-0"), days=7)
    # A third of what lasts, and nothing of what counts for now.
    assert strength(profile, "Running shoes") == pytest.approx(1 / 6, abs=1e-6)


async def test_time_alone_changes_nothing(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"), viewed("c1", "coffee-0"))
    before = await shop.profile()
    after = await shop.happen(viewed("c1", "running-1"), days=14)
    assert {need.label for need in after.needs} == {need.label for need in before.needs}
    assert after.needs[0].label == "Running shoes"


async def test_an_old_interest_survives_a_holiday_and_a_whim_does_not(shop: Shop) -> None:
    for day in range(0, 21, 2):
        await shop.happen(viewed("c1", "running-0"), days=day)
    await shop.happen(viewed("c1", "coffee-0"), days=20, minutes=5)
    profile = await shop.happen(viewed("c1", "headphones-0"), days=65)
    assert {need.label for need in profile.needs} == {"Running shoes", "Headphones"}
    assert strength(profile, "Running shoes") > 0.25
    assert profile.needs[1].half_life_hours > 3 * 168


async def test_a_sudden_interest_is_the_second_strongest_after_one_event(shop: Shop) -> None:
    for day in range(30):
        await shop.happen(viewed("c1", "running-0"), viewed("c1", "running-1"), days=day)
        await shop.happen(viewed("c1", "coffee-0"), days=day, minutes=10)
    profile = await shop.happen(searched("c1", "telescope"), days=30)
    assert profile.needs[0].label == "telescope"
    assert profile.needs[0].strength > 0.45
    assert {"Running shoes", "Coffee makers"} < {need.label for need in profile.needs}


async def test_needs_that_have_come_together_become_one(shop: Shop) -> None:
    shop.rules = replace(shop.rules, join_cosine=0.95, merge_cosine=0.7)
    await shop.happen(searched("c1", "red canvas tent"), searched("c1", "tent canvas"))
    assert len(shop.kept().spectrum.needs) == 2
    profile = await shop.happen(searched("c1", "red canvas tent"), minutes=1)
    [need] = profile.needs
    assert len(need.evidence) == 3


async def test_a_late_event_weighs_what_would_be_left_of_it(shop: Shop) -> None:
    in_time, late = type(shop)(), shop
    await in_time.open()
    await in_time.happen(viewed("c1", "running-0"))
    expected = await in_time.happen(viewed("c1", "coffee-0"), days=7)
    await late.happen(viewed("c1", "coffee-0"), days=7)
    found = await late.happen(viewed("c1", "running-0"))
    assert strength(found, "Running shoes") == pytest.approx(strength(expected, "Running shoes"))
    assert found.needs[0].updated_at == expected.needs[0].updated_at


async def test_a_ninth_interest_shows_at_once_and_replaces_the_weakest(shop: Shop) -> None:
    words = ["tent", "novel", "guitar", "vase", "lamp", "sofa", "kettle", "drill"]
    for minute, word in enumerate(words):
        await shop.happen(*[searched("c1", word)] * (1 if word == "novel" else 2), minutes=minute)
    profile = await shop.happen(searched("c1", "telescope"), minutes=9)
    labels = {need.label for need in profile.needs}
    assert len(profile.needs) == 8
    assert "telescope" in labels
    assert "novel" not in labels


async def test_taking_it_out_of_the_cart_takes_the_interest_back(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"))
    before = await shop.happen(ProductAdded(customer_id="c1", product_id="coffee-0"), minutes=1)
    after = await shop.happen(ProductRemoved(customer_id="c1", product_id="coffee-0"), minutes=2)
    assert strength(after, "Coffee makers") < strength(before, "Coffee makers")


async def test_removing_what_was_never_added_leaves_no_need(shop: Shop) -> None:
    profile = await shop.happen(ProductRemoved(customer_id="c1", product_id="coffee-0"))
    assert profile.needs == ()


async def test_taking_something_else_out_leaves_a_need_alone(shop: Shop) -> None:
    before = await shop.happen(viewed("c1", "running-0"))
    after = await shop.happen(ProductRemoved(customer_id="c1", product_id="coffee-0"), minutes=1)
    assert after.needs == before.needs


async def test_a_category_page_counts_a_little(shop: Shop) -> None:
    profile = await shop.happen(
        viewed("c1", "running-0"), ProductListViewed(customer_id="c1", category="Coffee makers")
    )
    assert strength(profile, "Coffee makers") == pytest.approx(0.3 / 1.3, abs=0.001)


async def test_a_product_that_only_the_event_knows(shop: Shop) -> None:
    profile = await shop.happen(viewed("c1", "x-1", name="Two-person ridge tent", category="Camping"))
    assert [need.label for need in profile.needs] == ["Camping"]


async def test_a_product_that_nobody_knows_is_only_remembered(shop: Shop) -> None:
    profile = await shop.happen(viewed("c1", "x-1"))
    assert (profile.needs, profile.recent_product_ids) == ((), ("x-1",))


async def test_a_review_belongs_to_the_need_for_its_product(shop: Shop) -> None:
    review = ProductReviewed(customer_id="c1", product_id="running-0", review_body="I love them on mud")
    profile = await shop.happen(viewed("c1", "running-1"), review)
    assert [need.label for need in profile.needs] == ["Running shoes"]


async def test_served_vectors_are_in_the_order_of_the_needs(shop: Shop) -> None:
    await shop.happen(viewed("c1", "coffee-0"), viewed("c1", "running-0"), viewed("c1", "running-1"))
    found = await shop.store.embeddings.get_many("default", "need", ["c1"])
    running = shop.encoder.vector("Ridge Running shoes, Running shoes, Fernhill")
    vectors = found.vectors["c1"]
    assert vectors.shape == (2, 128)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=0.002)
    assert vectors[0] @ running > 0.9 > vectors[1] @ running
    mean = (await shop.store.embeddings.get_many("default", "customer", ["c1"])).vectors["c1"]
    assert mean @ vectors[0] > mean @ vectors[1]


async def test_a_batch_asks_the_worker_once_and_a_known_text_not_at_all(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"), viewed("c2", "running-0"), searched("c3", "moka pot"))
    await shop.happen(viewed("c4", "running-0"), searched("c1", "moka pot"), minutes=1)
    [_, asked] = shop.encoder.calls  # before: the texts that the background is made of
    assert len(asked) == len(set(asked))


async def test_what_was_answered_before_a_failure_is_not_asked_again(shop: Shop) -> None:
    await shop.happen(viewed("c0", "running-0"))
    texts = [f"text {number}" for number in range(100)]
    ports_encoder, answered = shop.ports.encoder, shop.encoder.calls
    embed, left = shop.encoder.embed, [1]

    async def once(texts, **options):  # type: ignore[no-untyped-def]
        left[0] -= 1
        if left[0] < 0:
            raise UnavailableError("the worker is gone")
        return await embed(texts, **options)

    shop.encoder.embed = once  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        await ports_encoder.encode(texts)
    shop.encoder.embed = embed  # type: ignore[method-assign]
    before = len(answered)
    await ports_encoder.encode(texts)
    assert [len(call) for call in answered[before:]] == [36]


async def test_vectors_of_two_encoders_are_never_mixed(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"), viewed("c1", "coffee-0"))
    shop.encoder.model = "fake@2"
    profile = await shop.happen(viewed("c1", "running-1"), minutes=1)
    assert profile.encoder == "fake@2"
    assert {need.label for need in profile.needs} == {"Running shoes", "Coffee makers"}
    coffee = next(need for need in shop.kept().spectrum.needs if need.label == "Coffee makers")
    assert coffee.vector @ shop.encoder.vector(coffee.text) > 0.99
