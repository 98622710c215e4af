"""Every number and segment of a profile has its reasons: events by id, and what a model made of its inputs."""

from __future__ import annotations

from dataclasses import replace

import cramjam
import msgspec
import numpy as np
import pytest

from rapport.events.behaviour import Context, OrderRefunded, ProductAdded, ProductReviewed
from rapport.events.catalog import ProductUpserted
from rapport.ops.errors import InvalidRequest
from rapport.testing import FakeClassifier, message, ordered, viewed
from services.profiler.adapters.aspects import ClassifiedAspects
from services.profiler.adapters.codec import unpack_backing
from services.profiler.adapters.moods import ClassifiedMoods
from services.profiler.answers import explain_profile
from services.profiler.domain.explanation import Explanation
from services.profiler.domain.membership import Thresholds
from services.profiler.domain.subjects import subjects
from services.profiler.learning.opinions import OpinionObserver
from services.profiler.learning.outlook import OutlookObserver
from services.profiler.learning.propensity import PropensityObserver
from services.profiler.segments.model import LinearSegments, Segment
from services.profiler.segments.observer import SegmentObserver
from services.profiler.training.segments import fit_tastes
from tests.unit.profiler.conftest import MOODS, Shop, product
from tests.unit.profiler.test_lifetime import CDNOW

PHONE = Context(device="phone")


async def explained(shop: Shop, customer: str = "c1") -> dict[str, Explanation]:
    answer = await explain_profile(("default", customer), "", shop.copies, shop.ports.observers, shop.rules)
    return {each.subject: each for each in answer[1]}


def ids(explanation: Explanation) -> list[str]:
    return [reason.event_id.rpartition("/")[2] for reason in explanation.reasons]


async def test_habits_and_counts_name_their_events(shop: Shop) -> None:
    shop.ports = replace(
        shop.ports,
        observers=(OpinionObserver(ClassifiedAspects(FakeClassifier(MOODS)), ClassifiedMoods(FakeClassifier(MOODS))),),
    )
    await shop.happen(viewed("c1", "running-0", context=PHONE), viewed("c1", "coffee-0"))
    await shop.happen(ProductAdded(customer_id="c1", product_id="running-0"), minutes=120)
    await shop.happen(ordered("c1", "o1", "running-0"), days=1)
    await shop.happen(OrderRefunded(customer_id="c1", order_id="o1", products=[{"product_id": "running-0"}]), days=2)
    await shop.happen(
        ProductReviewed(customer_id="c1", product_id="running-0", review_body="delivery was quick, love it"), days=2
    )
    found = await explained(shop)
    told = {name: ids(each) for name, each in found.items()}
    assert told["device:phone"] == ["1"]
    assert (told["exit:consider"], told["exit:cart"], told["exit:purchase"]) == (["2"], ["3"], ["4"])
    assert (told["hour:9"], told["hour:11"]) == (["6", "5", "4", "2", "1"], ["3"])
    assert (told["orders"], told["sessions"]) == (["4"], ["5", "4", "3", "1"])
    assert (told["returns_rate"], found["returns_rate"].value) == (["5", "4"], "1.000")
    assert told["aspect:delivery"] == ["6"]
    assert len(told["events"]) == 6
    assert all(each.breakdown is None for each in found.values())


async def test_an_event_that_moves_a_lot_still_tells_every_opinion_and_that_it_tells_not_all(shop: Shop) -> None:
    moods = ClassifiedMoods(FakeClassifier(MOODS))
    shop.ports = replace(shop.ports, observers=(OpinionObserver(ClassifiedAspects(FakeClassifier(MOODS)), moods),))
    tent = product("tent-0", "Ridge", "Tents").model_copy(
        update={"attributes": {f"trait {n}": "yes" for n in range(4)}}
    )
    await shop.catalog.apply([message(ProductUpserted.model_validate(tent.model_dump()), 99)])
    body = "delivery was quick, the price is high, quality is fine, service is rude, broken packaging, size is right"
    await shop.happen(ProductReviewed(customer_id="c1", product_id="tent-0", review_body=body, context=PHONE))
    found = await explained(shop)
    opinions = ("delivery", "price", "quality", "service", "packaging", "fit")
    assert {name: ids(found[f"aspect:{name}"]) for name in opinions} == {name: ["1"] for name in opinions}
    assert found["aspect:fit"].complete
    await shop.happen(ordered("c1", "o1", "tent-0", "running-0", "coffee-0", "headphones-0"), minutes=1)
    found = await explained(shop)
    assert ids(found["need:Headphones"]) == ["2"]
    assert not found["attribute:trait 3: yes"].complete


async def test_late_events_and_the_language_are_traced(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0", context=Context(locale="de-DE")), days=20)
    await shop.happen(viewed("c1", "running-1"), days=19)
    await shop.happen(ordered("c1", "o1", "running-1", total="12.00"), days=1)
    found = await explained(shop)
    assert (ids(found["language"]), ids(found["late_events"]), ids(found["too_late_events"])) == (["1"], ["2"], ["3"])
    assert ids(found["revenue"]) == ["3"]


async def test_a_propensity_is_the_sum_of_what_its_features_add(shop: Shop) -> None:
    observer = PropensityObserver(30 * 60_000)
    dice = np.random.default_rng(0)
    for _ in range(5):
        rows = dice.standard_normal((128, 38))
        observer.session.model.learn(rows, (rows[:, 4] > 0).astype(float))
    shop.ports = replace(shop.ports, observers=(observer,))
    profile = await shop.happen(viewed("c1", "running-0"), ProductAdded(customer_id="c1", product_id="running-0"))
    found = (await explained(shop))["propensity:session"]
    assert found.breakdown is not None
    assert found.breakdown.unit == "log-odds"
    assert found.breakdown.contributions[0].feature == "adds"
    log_odds = found.breakdown.base + sum(part.amount for part in found.breakdown.contributions)
    assert profile.propensity is not None
    assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(profile.propensity.session, abs=1e-4)
    assert ids(found) == ["2", "1"]


async def test_silence_is_what_raises_the_churn_risk(shop: Shop) -> None:
    observer = OutlookObserver()
    observer.use(replace(CDNOW, version="v2"))
    shop.ports = replace(shop.ports, observers=(observer,))
    for number in range(3):
        await shop.happen(ordered("c1", f"o{number}", "running-1", total="60.00"), days=7 * number)
    await shop.happen(viewed("c1", "running-1"), days=120)
    found = await explained(shop)
    risk, worth = found["churn_risk"].breakdown, found["expected_value"].breakdown
    assert risk is not None
    assert worth is not None
    assert (risk.unit, risk.model, risk.contributions[0].feature) == ("probability", "v2", "days_since_order")
    assert risk.contributions[0].value == pytest.approx(106, abs=0.1)
    assert risk.contributions[0].amount > 0
    silence = next(part for part in worth.contributions if part.feature == "days_since_order")
    assert (worth.unit, silence.amount < 0) == ("money", True)
    assert ids(found["churn_risk"]) == ["3", "2", "1"]


async def test_a_segment_is_explained_by_the_needs_that_speak_for_it(shop: Shop) -> None:
    for number in range(30):
        kind = ("running", "coffee", "headphones")[number % 3]
        await shop.happen(*(viewed(f"u{number}", f"{kind}-{step}") for step in range(4)), minutes=number)
    model = fit_tastes({f"u{n}": shop.kept(f"u{n}") for n in range(30)}, None, shop.rules).model
    observer = SegmentObserver(shop.rules, Thresholds())
    observer.use("taste", replace(model, version="v3"))
    observer.use("type", _types())
    shop.ports = replace(shop.ports, observers=(observer,))
    await shop.happen(*(viewed("new", f"running-{n % 4}") for n in range(7)), viewed("new", "coffee-1"), minutes=60)
    found = await explained(shop, "new")
    taste, type_ = (found[f"segment:{id_}"] for id_ in _ids(found))
    assert (len(taste.reasons), {reason.weight for reason in taste.reasons}) == (8, {1.0})
    assert (len(type_.reasons), {reason.weight for reason in type_.reasons}) == (8, {0.0})
    assert taste.breakdown is not None
    assert taste.breakdown.contributions[0].feature == "need:Running shoes"
    assert taste.breakdown.model.startswith("v3, against ")
    assert type_.breakdown is not None
    assert [part.feature for part in type_.breakdown.contributions] == ["events"]
    assert type_.breakdown.contributions[0].amount == pytest.approx(2 * np.log1p(8), abs=1e-4)


async def test_what_cannot_be_asked_is_answered_with_what_can(shop: Shop) -> None:
    profile = await shop.happen(viewed("c1", "running-0"))
    with pytest.raises(InvalidRequest, match="shoe size") as caught:
        await explain_profile(("default", "c1"), "shoe size", shop.copies, (), shop.rules)
    assert all(name in str(caught.value) for name in subjects(profile))


async def test_copies_of_an_older_profiler_still_name_their_events(shop: Shop) -> None:
    await shop.happen(viewed("c1", "running-0"))
    steps = (await shop.copies.backing(("default", "c1")))[0].steps
    old = bytes(cramjam.lz4.compress_block(msgspec.msgpack.encode(steps)))
    assert unpack_backing(old).steps == steps


def _types() -> LinearSegments:
    """Lookers have many events, others few."""
    weights = np.zeros((2, 9), dtype=np.float32)
    weights[:, 5] = 1.0, -1.0
    kinds = tuple(Segment(f"type-{name}", name, "", 0.5, ()) for name in ("lookers", "others"))
    return LinearSegments("type", "v4", "", kinds, weights, np.zeros(2, dtype=np.float32))


def _ids(found: dict[str, Explanation]) -> list[str]:
    """Of the segments, the taste first."""
    names = [name.partition(":")[2] for name in found if name.startswith("segment:")]
    return sorted(names, key=lambda name: name.startswith("type-"))
