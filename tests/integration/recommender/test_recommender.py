"""The recommender on a real broker, a real Redis and a real worker: what comes in, what goes out, whatever is lost."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import grpc
import pytest
import redis

from rapport.contracts.recommender.v1 import recommendation_service_pb2 as wire
from rapport.events.behaviour import ItemsShown
from rapport.events.recommendations import RecommendationMade
from rapport.testing import viewed
from services.recommender.domain.decay import POPULAR
from tests.integration.hosting import until
from tests.integration.recommender.conftest import Deployment
from tests.unit.recommender.goods import GOODS, product
from tests.unit.recommender.shop import ids, texts


async def stocked(deployment: Deployment) -> None:
    """The catalogue is published and embedded."""
    await deployment.sender.send(*GOODS.values())

    async def embedded() -> bool:
        found = await deployment.call("Similar", wire.SimilarRequest(product_id="lamps-4", tenant=deployment.tenant))
        return any(item.source_scores for item in found.items)

    async def there() -> bool:
        return len((await deployment.recommend(limit=100)).items) == len(GOODS)

    await until(there, 30, deployment.detail)
    await until(embedded, 30, deployment.detail)


async def behaved(deployment: Deployment, *pairs: tuple[str, str]) -> None:
    """Customers look at products, just now; waits until it is counted."""
    at = datetime.now(UTC)
    await deployment.sender.send(*(viewed(customer, product_id, occurred_at=at) for customer, product_id in pairs))


async def shoppers(deployment: Deployment) -> dict[str, str]:
    """What is said of each trending product."""
    answer = await deployment.call("Trending", wire.TrendingRequest(tenant=deployment.tenant, limit=100))
    return {item.product_id: " ".join(reason.text for reason in item.reasons) for item in answer.items}


async def said(deployment: Deployment, expected: dict[str, str], within_s: float = 20) -> None:
    async def true() -> bool:
        return await shoppers(deployment) == expected

    await until(true, within_s, deployment.detail)


async def test_a_new_product_is_found_by_what_it_means_as_soon_as_it_is_embedded(deployment: Deployment) -> None:
    await stocked(deployment)
    await deployment.sender.send(product("lamps-9", "bedside reading lamp", "lamps"))

    async def similar() -> bool:
        request = wire.SimilarRequest(product_id="lamps-2", tenant=deployment.tenant, limit=15)
        found = (await deployment.call("Similar", request)).items
        return any(item.product_id == "lamps-9" and item.source_scores for item in found)

    began = time.monotonic()
    await until(similar, 30, deployment.detail)
    print(f"product event to embedded and found: {time.monotonic() - began:.3f} s")


async def test_a_profile_leads_to_a_message_whose_reasons_are_true(deployment: Deployment) -> None:
    await stocked(deployment)
    others = [(customer, product_id) for customer in ("bob", "eve") for product_id in ("shoes-0", "lamps-3")]
    await behaved(deployment, *others, ("ada", "shoes-0"))
    await said(deployment, {"shoes-0": "3 shoppers looked at it today", "lamps-3": "2 shoppers looked at it today"})
    needs = {"Coffee": "coffee maker", "Running shoes": "running shoes"}
    await deployment.profile("ada", needs, recent_product_ids=["shoes-0"], purchased_product_ids=["coffee-0"])

    async def answered() -> bool:
        return any(made and made.customer_id == "ada" for made in await deployment.published())

    print(f"profile event to recommendation: {await until(answered, 30, deployment.detail):.3f} s")
    (made,) = await deployment.published()
    assert isinstance(made, RecommendationMade)
    assert (made.strategy, made.profile_revision, made.trigger_event_id) == ("personalised", 1, "event-1")
    assert made.encoder == "rapport/dummy-encoder@1"
    assert {"shoes-0", "coffee-0"}.isdisjoint(ids(made))
    assert texts(made, "lamps-3") == [
        "Others who looked at trail running shoes also looked at this",
        "2 shoppers looked at it today",
    ]
    fits = [item for item in made.items if "Close to your interest in Coffee" in texts(made, item.product_id)]
    assert fits
    assert all(item.product_id.startswith("coffee") for item in fits)
    # Asked, it answers the same.
    asked = await deployment.recommend("ada")
    assert [item.product_id for item in asked.items] == ids(made)


async def test_what_is_seen_of_an_answer_becomes_training_data(deployment: Deployment) -> None:
    await stocked(deployment)
    await deployment.profile("ada", {"Coffee": "coffee maker"})
    made = await deployment.recommend("ada")
    shown = [item.product_id for item in made.items[:3]]
    seen = {"customer_id": "ada", "recommendation_id": made.recommendation_id, "product_ids": shown}

    async def recorded() -> bool:
        # Sent again and again: the answer is kept in the background, a moment after it was given.
        await deployment.sender.send(ItemsShown.model_validate(seen))
        return bool(await deployment.impressions())

    await until(recorded, 20, deployment.detail)
    impression = (await deployment.impressions())[0]
    assert (impression.customer_id, impression.source, list(impression.product_ids)) == ("ada", "pull", shown)
    assert impression.positions == (0, 1, 2)


async def test_replayed_behaviour_is_counted_once(deployment: Deployment) -> None:
    await stocked(deployment)
    await behaved(deployment, ("bob", "lamps-0"), ("eve", "lamps-0"), ("eve", "lamps-1"))
    await said(deployment, {"lamps-0": "2 shoppers looked at it today", "lamps-1": ""})
    before = await weights(deployment)
    await deployment.service.stop()
    await forget_progress(deployment)
    await deployment.service.start()
    await until(deployment.service.ready, 30, deployment.detail)
    # A look that comes behind the replayed ones shows that they have been passed.
    await behaved(deployment, ("kim", "lamps-1"))
    await said(deployment, {"lamps-0": "2 shoppers looked at it today", "lamps-1": "2 shoppers looked at it today"})
    after = await weights(deployment)
    assert after["lamps-0"] == pytest.approx(before["lamps-0"])
    assert after["lamps-1"] == pytest.approx(before["lamps-1"] + 1, abs=0.01)


async def test_a_tombstone_takes_the_product_off(deployment: Deployment) -> None:
    await stocked(deployment)
    await deployment.sender.delist("lamps-4")

    async def gone() -> bool:
        return "lamps-4" not in [item.product_id for item in (await deployment.recommend(limit=100)).items]

    await until(gone, 30, deployment.detail)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await deployment.call("Similar", wire.SimilarRequest(product_id="lamps-4", tenant=deployment.tenant))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("while_it_runs", [True, False])
async def test_a_wiped_redis_is_filled_again_from_the_topic(deployment: Deployment, while_it_runs: bool) -> None:
    await stocked(deployment)
    await behaved(deployment, *((customer, "shoes-1") for customer in "abcde"), ("a", "lamps-1"), ("b", "lamps-1"))
    expected = {"shoes-1": "5 shoppers looked at it today", "lamps-1": "2 shoppers looked at it today"}
    await said(deployment, expected)
    if not while_it_runs:
        await deployment.service.stop()
    with redis.Redis.from_url(deployment.settings.redis.url.get_secret_value()) as client:
        client.flushdb()
    if while_it_runs:
        assert await shoppers(deployment) == {}
    else:
        await deployment.service.start()
        await until(deployment.service.ready, 30, deployment.detail)
    await said(deployment, expected, 40)
    answer = await deployment.call("Similar", wire.SimilarRequest(product_id="shoes-1", tenant=deployment.tenant))
    tied = next(item for item in answer.items if item.product_id == "lamps-1")
    assert tied.reasons[0].text == "Others who looked at road running shoes also looked at this"


async def test_without_its_worker_it_answers_and_catches_up_later(deployment: Deployment) -> None:
    await stocked(deployment)
    await deployment.profile("ada", {"Coffee": "coffee"})
    await deployment.worker.stop()
    await deployment.sender.send(product("coffee-9", "coffee pot coffee", "coffee"))

    async def on_sale() -> bool:
        return "coffee-9" in [item.product_id for item in (await deployment.recommend(limit=100)).items]

    await until(on_sale, 30, deployment.detail)
    assert (await deployment.recommend("ada")).strategy == "personalised"
    assert deployment.service.ready()
    await deployment.worker.start()

    async def fits() -> bool:
        items = (await deployment.recommend("ada", limit=3)).items
        return any(item.product_id == "coffee-9" and "need" in item.source_scores for item in items)

    await until(fits, 20, deployment.detail)


async def weights(deployment: Deployment) -> dict[str, float]:
    """How much each product was looked at, faded to now: with a half-life of 30 days, next to nothing."""
    key = f"{deployment.tenant}:board:{{{deployment.tenant}}}:popular"
    with redis.Redis.from_url(deployment.settings.redis.url.get_secret_value()) as client:
        found = client.zrange(key, 0, -1, withscores=True)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    return {member.decode(): POPULAR.worth(score, now_ms) for member, score in found}


async def forget_progress(deployment: Deployment) -> None:
    """As if the process had ended between counting and noting how far it came: everything is read again."""
    async for page in deployment.redis.scan(f"{deployment.tenant}:reached:"):
        await deployment.redis.delete(page)
