"""What customers say of the aspects of the shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rapport.events.behaviour import ProductReviewed
from rapport.serving.client import Classified
from rapport.testing import FakeClassifier
from services.profiler.adapters.aspects import ClassifiedAspects
from services.profiler.adapters.moods import ClassifiedMoods
from services.profiler.domain.aspects import aspects_of
from services.profiler.learning.opinions import OpinionObserver
from tests.unit.profiler.conftest import MOODS, Shop


@pytest.mark.parametrize(
    ("text", "aspects"),
    [
        ("Fast delivery, but the stitching broke after a week.", {"delivery", "quality"}),
        ("物流很快，但是质量太差，客服态度不好", {"delivery", "quality", "service"}),
        ("Too small for me although the price is fine", {"fit", "price"}),
        ("颜色和图片不一样，包装也破了", {"description", "packaging"}),
        ("I like it", set()),
        ("", set()),
    ],
)
def test_each_clause_speaks_of_its_aspects(text: str, aspects: set[str]) -> None:
    assert set(aspects_of(text)) == aspects


def test_the_words_of_one_aspect_leave_out_those_of_another() -> None:
    found = aspects_of("I love the fast delivery, but the quality is broken.")
    assert "love" in found["delivery"]
    assert "love" not in found["quality"]


async def test_one_review_is_good_of_one_aspect_and_bad_of_another(shop: Shop) -> None:
    shop.ports = replace(
        shop.ports,
        observers=(OpinionObserver(ClassifiedAspects(FakeClassifier(MOODS)), ClassifiedMoods(FakeClassifier(MOODS))),),
    )
    said = "I love the fast delivery, but the quality: broken."
    profile = await shop.happen(ProductReviewed(customer_id="c1", product_id="running-1", review_body=said))
    scores = {each.aspect: each.score for each in profile.aspects}
    assert scores["delivery"] > 0.5
    assert scores["quality"] < -0.5
    later = await shop.happen(
        ProductReviewed(customer_id="c1", product_id="running-2", review_body="Delivery 差"), days=30
    )
    counts = {each.aspect: each.count for each in later.aspects}
    assert counts == {"delivery": 2, "quality": 1}
    assert later.aspects[0].score == pytest.approx(0, abs=0.3)


class Shops:
    """A worker on which a classifier of aspects is promoted, or not."""

    def __init__(self) -> None:
        self.asked = 0
        self.promoted: FakeClassifier | None = None

    async def classify(self, task: str, texts: Sequence[str]) -> Classified:
        self.asked += 1
        return await (self.promoted or FakeClassifier({})).classify(task, texts)


async def test_words_tell_the_aspects_until_a_shop_has_promoted_its_own_classifier() -> None:
    shop, now = Shops(), [0.0]
    aspects = ClassifiedAspects(shop, lambda: now[0])
    said = "The courier was rude, but the lid leaks."
    assert await aspects.told([said]) == {said: {"delivery": "The courier was rude", "service": "The courier was rude"}}
    shop.promoted = FakeClassifier({"aspects": {"tightness": ["leaks"], "none": []}})
    assert "delivery" in (await aspects.told([said]))[said]
    assert shop.asked == 1
    now[0] += 60
    assert await aspects.told([said, ""]) == {said: {"tightness": "the lid leaks."}, "": {}}
    shop.promoted = None
    assert "delivery" in (await aspects.told([said]))[said]
