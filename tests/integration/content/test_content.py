"""Briefs, approval and experiments on a real broker and a real Redis, over a restart and a lost Redis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rapport.events.behaviour import ContentClicked, ContentShown, Identify, OrderCompleted
from tests.integration.content.conftest import Deployment
from tests.integration.hosting import until

pytestmark = pytest.mark.timeout(180)


def brief(request_id: str, **more: Any) -> dict[str, Any]:
    ends = datetime.now(UTC) + timedelta(days=9)
    return {
        "request_id": request_id, "kind": "campaign", "channel": "email", "language": "en", "product_ids": ["p-1"],
        "discount_percent": "20", "ends_at": ends.isoformat().replace("+00:00", "Z"), **more,
    }  # fmt: skip


async def arms(deployment: Deployment, experiment_id: str) -> dict[str, tuple[int, int]]:
    found = await deployment.call("ListExperiments", experiment_id=experiment_id)
    return {arm["variation_id"]: (arm["customers"], arm["successes"]) for arm in found["experiments"][0]["arms"]}


async def test_an_experiment_counts_once_and_survives_a_restart_and_a_lost_redis(deployment: Deployment) -> None:
    created = await deployment.call("Create", brief=brief("q-1", variants=2, experiment={"mode": "bandit"}))
    experiment_id = created["experiment_id"]
    await until(lambda: _known(deployment, experiment_id), 30, deployment.service.detail)
    kept = {}
    for number in range(20):
        customer = f"c-{number}"
        given = await deployment.call("Assign", experiment_id=experiment_id, customer_id=customer)
        assert given["text"] in {variant["text"] for variant in created["variants"]}
        kept[customer] = given["variation_id"]
    shown = [ContentShown(customer_id=name, content_id=experiment_id, variant=arm) for name, arm in kept.items()]
    clicks = [ContentClicked(customer_id=name, content_id=experiment_id, variant=kept[name]) for name in list(kept)[:5]]
    await deployment.sender.send(*shown, *shown)
    await deployment.sender.send(*clicks, *clicks)
    expected = {
        arm: (sum(v == arm for v in kept.values()), sum(kept[click.subject] == arm for click in clicks)) for arm in "ab"
    }

    async def counted() -> bool:
        return await arms(deployment, experiment_id) == expected

    await until(counted, 40, lambda: expected)
    await deployment.service.stop()
    await deployment.redis.client.flushdb()
    await deployment.service.start()
    await until(deployment.service.ready, 60, deployment.service.detail)
    await until(counted, 40, lambda: expected)
    again = {
        name: (await deployment.call("Assign", experiment_id=experiment_id, customer_id=name))["variation_id"]
        for name in kept
    }
    assert again == kept


async def test_orders_after_identify_count_for_what_visitors_saw_over_a_restart(deployment: Deployment) -> None:
    plan = {"mode": "fixed", "metric": "order"}
    created = await deployment.call("Create", brief=brief("q-3", variants=2, experiment=plan))
    experiment_id, people = created["experiment_id"], range(12)
    await until(lambda: _known(deployment, experiment_id), 30, deployment.service.detail)
    await deployment.sender.send(
        *(ContentShown(anonymous_id=f"a-{n}", content_id=experiment_id, variant="a") for n in people)
    )

    async def counted(expected: tuple[int, int]) -> bool:
        return (await arms(deployment, experiment_id))["a"] == expected

    await until(lambda: counted((len(people), 0)), 60, deployment.service.detail)
    await deployment.sender.send(*(Identify(customer_id=f"c-{n}", anonymous_id=f"a-{n}") for n in people))
    await deployment.service.stop()
    await deployment.sender.send(*(_bought(f"c-{n}") for n in people), *(_bought(f"c-{n}") for n in people))
    await deployment.service.start()
    await until(deployment.service.ready, 60, deployment.service.detail)
    await until(lambda: counted((len(people), len(people))), 60, deployment.service.detail)


async def test_a_draft_waits_over_a_restart_and_is_published_when_approved(deployment: Deployment) -> None:
    created = await deployment.call("Create", brief=brief("q-2", approval=True))
    assert created["status"] == "pending"
    await deployment.service.stop()
    await deployment.service.start()
    await until(deployment.service.ready, 60, deployment.service.detail)

    async def waiting() -> list[Any]:
        found: list[Any] = (await deployment.call("ListDrafts"))["drafts"]
        return found

    (draft,) = await until(waiting, 20, deployment.service.detail)
    assert draft["variants"][0]["text"] == created["variants"][0]["text"]
    await deployment.call("Review", content_id=draft["content_id"], decision="approve", by="Mia")

    async def approved() -> list[Any]:
        found: list[Any] = (await deployment.call("ListDrafts", status="approved"))["drafts"]
        return found

    (decided,) = await until(approved, 20, deployment.service.detail)
    assert decided["by"] == "Mia"


async def _known(deployment: Deployment, experiment_id: str) -> bool:
    found = await deployment.call("ListExperiments")
    return any(each["experiment_id"] == experiment_id for each in found["experiments"])


def _bought(customer_id: str) -> OrderCompleted:
    lines = [{"product_id": "p-1", "price": "129.00"}]
    return OrderCompleted.model_validate(
        {
            "customer_id": customer_id,
            "order_id": f"o-{customer_id}",
            "total": "129.00",
            "currency": "EUR",
            "products": lines,
        }
    )
