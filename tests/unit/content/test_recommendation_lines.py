"""Recommendations get a line at once; the model words it for the next time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rapport.bus.messages import Outgoing
from rapport.events.content import ContentPublished
from rapport.events.recommendations import RankedItem, Reason, RecommendationMade
from services.content.domain.budget import TokenBudget
from services.content.handlers.lines import LineHandlers

from .conftest import NOW, line_handlers
from .test_briefs import message


def recommendation(
    reason: str, revision: int = 1, need: str = "trail running", items: tuple[str, ...] = ("p-1",)
) -> RecommendationMade:
    reasons = (Reason(kind="need", text=reason, subject=need),)
    return RecommendationMade(
        recommendation_id=f"r-{revision}",
        customer_id="c-1",
        items=tuple(RankedItem(product_id=name, score=1.0, reasons=reasons) for name in items),
        strategy="personalised",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )


def text(outgoing: Outgoing) -> str:
    assert isinstance(outgoing.event, ContentPublished)
    return outgoing.event.variants[0].text


async def lines(service: LineHandlers, event: RecommendationMade, offset: int = 0) -> list[Outgoing]:
    return list(await service.on_recommendations([message(event, "c-1", offset)]))


async def test_a_line_speaks_the_reasons_language_and_names_the_need() -> None:
    service, _ = line_handlers()
    (english,) = await lines(service, recommendation("Fits your interest."))
    (chinese,) = await lines(service, recommendation("符合您的兴趣。", 2))
    assert "trail running" in text(english)
    assert "云岭越野跑鞋二代" in text(chinese)


@pytest.mark.parametrize(
    "need", ["6 RIBBONS RUSTIC CHARM", "the best 100% wool 羊毛", "a need of very many words " * 9]
)
async def test_whatever_a_need_is_called_there_is_a_line(need: str) -> None:
    service, _ = line_handlers()
    (line,) = await lines(service, recommendation("Fits your interest.", need=need))
    assert "Fernhill Trail Runner 2" in text(line)
    assert len(text(line)) <= 120


async def test_the_model_is_not_waited_for_and_words_the_line_for_the_next_time() -> None:
    service, writer = line_handlers("Enjoy the trail with Fernhill Trail Runner 2.")
    (first,) = await lines(service, recommendation("Fits."))
    assert writer.asked == []
    assert await service.write(service.later.get_nowait())
    (second,) = await lines(service, recommendation("Fits.", 2), 1)
    assert text(first) != text(second) == "Enjoy the trail with Fernhill Trail Runner 2."
    assert service.later.empty()  # what is cached is not asked for again


async def test_a_line_that_the_model_cannot_write_stays_the_templates() -> None:
    service, _ = line_handlers("The best shoe!", "The best shoe!")
    (first,) = await lines(service, recommendation("Fits."))
    assert not await service.write(service.later.get_nowait())
    (second,) = await lines(service, recommendation("Fits.", 2), 1)
    assert text(first) == text(second)


async def test_only_the_newest_recommendation_of_a_batch_gets_a_line() -> None:
    service, _ = line_handlers()
    (made,) = await service.on_recommendations([message(recommendation("Fits.", n), "c-1", n) for n in (1, 2)])
    assert made.key == "r-2"


async def test_each_top_item_gets_a_line_under_an_id_of_its_own() -> None:
    service, _ = line_handlers(items=2)
    made = await lines(service, recommendation("Fits.", items=("p-1", "p-9", "p-2")))
    assert [each.event_id for each in made] == ["r-1:content"]  # p-9 is not in the catalogue
    made = await lines(service, recommendation("Fits.", 2, items=("p-1", "p-2")), 1)
    assert [each.event_id for each in made] == ["r-2:content", "r-2:1:content"]


def test_the_budget_refills_with_time() -> None:
    now = [0.0]
    budget = TokenBudget(60, clock=lambda: now[0])
    assert [budget.take(25) for _ in range(3)] == [True, True, False]
    now[0] = 20.0
    assert [budget.take(25), budget.take(25)] == [True, False]
