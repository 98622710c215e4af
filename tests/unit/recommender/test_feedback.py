"""What is seen and clicked comes back: training data as of the moment of the answer, exposures, click rates; and a
model that is there puts the list in its order."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pytest

from rapport.events.behaviour import ItemClicked, ItemsShown
from rapport.events.experiments import ExperimentViewed
from rapport.events.recommendations import ImpressionRecorded, ReasonKind, RecommendationMade
from rapport.ops.errors import UnavailableError
from rapport.testing import viewed
from rapport.vectors.packing import unpack
from services.recommender.domain.features import FEATURES, VERSION
from services.recommender.domain.ranking import Assignment
from tests.unit.recommender.goods import GOODS
from tests.unit.recommender.shop import Shop, ids

NEEDS = {"Running shoes": "running shoes"}


def shown(made: RecommendationMade, *product_ids: str, customer: str = "ada") -> ItemsShown:
    return ItemsShown.model_validate(
        {"customer_id": customer, "recommendation_id": made.recommendation_id, "product_ids": product_ids}
    )


class Backwards:
    """A model that likes best what fixed weights like least."""

    name = "backwards@1"

    def score(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.floating]:
        return -features[:, FEATURES.index("need")].astype(np.float64)


class Assigned:
    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment

    def of(self, tenant: str, customer_id: str) -> Assignment:
        return self._assignment


async def stocked(assignment: Assignment) -> Shop:
    shop = Shop(rankers=Assigned(assignment))
    await shop.stock(*GOODS.values())
    await shop.profile("ada", NEEDS)
    return shop


async def test_an_impression_has_the_features_of_the_moment_when_the_answer_was_made(shop: Shop) -> None:
    await shop.profile("ada", NEEDS)
    made = await shop.recommend("ada")
    # Between the answer and the look at it the shop has changed.
    await shop.behave(*(viewed(f"c{number}", ids(made)[1]) for number in range(5)))
    (out,) = await shop.behave(shown(made, ids(made)[1], ids(made)[0], "not-in-it"))
    seen = out.event
    assert isinstance(seen, ImpressionRecorded)
    assert (out.topic, out.key, seen.source) == ("impressions.v1", "ada", "pull")
    assert (seen.recommendation_id, seen.strategy) == (made.recommendation_id, "personalised")
    assert (seen.product_ids, seen.positions) == (tuple(ids(made)[:2]), (0, 1))
    assert seen.shown_at > seen.made_at
    matrix = unpack(base64.b64decode(seen.features))
    assert (matrix.shape, seen.feature_version) == ((2, len(FEATURES)), VERSION)
    assert matrix[:, FEATURES.index("need")] == pytest.approx(
        [item.source_scores["need"] for item in made.items[:2]], abs=1e-5
    )
    assert matrix[:, FEATURES.index("item_trending")].max() == 0


async def test_what_was_never_answered_is_no_impression(shop: Shop) -> None:
    made = await shop.recommend("ada")
    stranger = shown(made, "lamps-0").model_copy(update={"recommendation_id": "made-up"})
    assert await shop.behave(stranger, shown(made, "nothing-of-it")) == []


async def test_a_pushed_answer_is_known_too(shop: Shop) -> None:
    (pushed,) = await shop.push(await shop.profile("ada", NEEDS))
    assert isinstance(pushed.event, RecommendationMade)
    (out,) = await shop.behave(shown(pushed.event, *ids(pushed.event)[:3]))
    assert isinstance(out.event, ImpressionRecorded)
    assert out.event.source == "push"


async def test_a_model_puts_the_list_in_its_order_and_its_name_on_it() -> None:
    shop = await stocked(Assignment(Backwards()))
    plain = await stocked(Assignment())
    made = await shop.recommend("ada", limit=4)
    assert made.ranker == "backwards@1"
    assert (await plain.recommend("ada", limit=4)).ranker == ""
    needs = [item.source_scores["need"] for item in made.items if "need" in item.source_scores]
    assert needs == sorted(needs)
    assert all(0 < item.score < 1 for item in made.items)


async def test_a_shadow_is_scored_and_recorded_but_never_shown() -> None:
    shadowed, plain = await stocked(Assignment(shadow=(Backwards(),))), await stocked(Assignment())
    made = await shadowed.recommend("ada")
    assert ids(made) == ids(await plain.recommend("ada"))
    (out,) = await shadowed.behave(shown(made, *ids(made)[:2]))
    assert isinstance(out.event, ImpressionRecorded)
    scores = out.event.shadow_scores["backwards@1"]
    assert scores == pytest.approx([-item.source_scores["need"] for item in made.items[:2]], abs=1e-5)


async def test_who_saw_an_experiment_is_told_when_they_saw_it() -> None:
    shop = await stocked(Assignment(Backwards(), experiment="ranker-test", variation="1"))
    made = await shop.recommend("ada")
    assert (made.experiment_id, made.variation_id) == ("ranker-test", "1")
    impression, exposure = await shop.behave(shown(made, ids(made)[0]))
    assert isinstance(impression.event, ImpressionRecorded)
    assert isinstance(exposure.event, ExperimentViewed)
    assert (exposure.topic, exposure.event.variation_id, exposure.key) == ("exposures.v1", "1", "ada")


class Recalls:
    """A model on the worker."""

    name: ReasonKind = "sequence"

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.asked: list[Sequence[str]] = []

    async def recall(
        self, tenant: str, histories: Sequence[Sequence[str]], limit: int
    ) -> Sequence[Sequence[tuple[str, float]]]:
        self.asked.extend(histories)
        if self.failure:
            raise self.failure
        return [[("lamps-3", 1.0), ("not-sold", 0.9)] for _ in histories]


async def test_a_source_that_is_asked_takes_part_and_is_done_without_when_it_is_away() -> None:
    for failure in (None, UnavailableError("worker down"), TimeoutError()):
        model = Recalls(failure)
        shop = Shop(recallers=(model,))
        await shop.stock(*GOODS.values())
        await shop.behave(viewed("ada", "coffee-1"), viewed("ada", "coffee-0"), after=timedelta(minutes=1))
        made = await shop.recommend("ada")
        assert model.asked == [["coffee-1", "coffee-0"]]
        assert made.items
        assert (ids(made)[0] == "lamps-3") is (failure is None)


async def test_click_rates_are_drawn_to_the_mean_where_little_is_known(shop: Shop) -> None:
    made = await shop.recommend("ada", limit=3)
    first, second, third = ids(made)
    await shop.behave(*(shown(made, first, second, customer=f"c{number}") for number in range(30)))
    click = {"recommendation_id": made.recommendation_id, "product_id": first}
    await shop.behave(*(ItemClicked.model_validate({**click, "customer_id": f"c{number}"}) for number in range(15)))
    board = shop.counts.boards_of["default", "examined"]
    # The second place is looked at half as often.
    assert board[first] - board[second] == pytest.approx(1.0, abs=0.01)
    assert set(shop.counts.boards_of["default", "clicked"]) == {first}
    assert third not in board
