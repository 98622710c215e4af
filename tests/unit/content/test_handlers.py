"""What a brief and a recommendation turn into."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from rapport.bus.messages import Message, Position
from rapport.events.base import Event
from rapport.events.content import ContentPublished
from rapport.events.envelope import Envelope
from rapport.events.recommendations import RankedItem, Reason, RecommendationMade
from rapport.ops.errors import InvalidRequest, UnavailableError
from services.content.domain.budget import RateBudget
from services.content.domain.checks import ClaimRule
from services.content.settings import CopySettings

from .conftest import brief, handlers

NOW = datetime(2026, 3, 5, tzinfo=UTC)
GOOD = "Fernhill Trail Runner 2 is 20% off until 12 March."


def message(event: Event, key: str, offset: int = 0) -> Message:
    envelope = Envelope(f"e-{offset}", event.ce_type(), "/tests", NOW, "default")
    return Message(event, envelope, key, Position("t", 0, offset), 0)


def recommendation(language_of_reason: str, revision: int = 1) -> RecommendationMade:
    item = RankedItem(
        product_id="p-1", score=1.0, reasons=(Reason(kind="need", text=language_of_reason, subject="trail running"),)
    )
    return RecommendationMade(
        recommendation_id=f"r-{revision}",
        customer_id="c-1",
        items=(item,),
        strategy="personalised",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )


async def test_model_copy_that_passes_is_published() -> None:
    service, _ = handlers(f'"{GOOD}"')
    content = await service.create(brief(), "default")
    assert (content.variants[0].text, content.variants[0].author, content.model) == (GOOD, "model", "scripted@1")


async def test_wrong_tries_stay_in_the_trail_and_the_template_is_used() -> None:
    service, writer = handlers("The best shoe ever!", "Now 50% off.")
    variant = (await service.create(brief(), "default")).variants[0]
    assert variant.author == "template"
    assert "€103.20 instead of €129" in variant.text
    assert [(d.author, d.accepted) for d in variant.trail] == [("model", False), ("model", False), ("template", True)]
    assert any("absolute" in problem for problem in variant.trail[0].problems)
    assert "Do not repeat" in writer.asked[1][1][1]


async def test_worker_down_means_template_not_failure() -> None:
    service, _ = handlers(UnavailableError("worker down"))
    content = await service.create(brief(), "default")
    assert content.variants[0].author == "template"
    assert content.model is None


async def test_chinese_comes_from_templates_with_the_tiny_models() -> None:
    service, writer = handlers(GOOD)
    variant = (await service.create(brief(language="zh"), "default")).variants[0]
    assert writer.asked == []
    assert "8折" in variant.text
    assert "€103.20" in variant.text


async def test_every_template_of_every_kind_passes_its_own_checks() -> None:
    for kind in ("campaign", "product_description", "subject_line", "win_back", "recommendation"):
        for channel in ("email", "sms", "push", "banner"):
            for language in ("en", "zh"):
                for discount in (None, "20", "12.5"):
                    service, _ = handlers()
                    asked = brief(kind=kind, channel=channel, language=language, discount_percent=discount, variants=2)
                    assert len((await service.create(asked, "default")).variants) == 2


async def test_same_request_gets_the_same_copy() -> None:
    service, _ = handlers(GOOD, "Fernhill Trail Runner 2, now €103.20.")
    first = await service.create(brief(), "default")
    assert await service.create(brief(), "default") == first


async def test_unknown_product_is_refused_by_name() -> None:
    service, _ = handlers()
    with pytest.raises(InvalidRequest, match="p-9") as caught:
        await service.create(brief(product_ids=["p-9"]), "default")
    assert caught.value.field == "product_ids"


async def test_requests_are_published_under_their_own_key() -> None:
    service, _ = handlers(GOOD)
    (outgoing,) = await service.on_requests([message(brief(), "q-1")])
    assert (outgoing.topic, outgoing.key, outgoing.event_id) == ("content.published.v1", "q-1", "q-1:content")


async def test_recommendation_line_speaks_the_reasons_language_and_names_the_need() -> None:
    service, _ = handlers(budget=0)
    (english,) = await service.on_recommendations([message(recommendation("Fits your interest."), "c-1")])
    (chinese,) = await service.on_recommendations([message(recommendation("符合您的兴趣。", 2), "c-1")])
    assert isinstance(english.event, ContentPublished)
    assert isinstance(chinese.event, ContentPublished)
    assert "trail running" in english.event.variants[0].text
    assert "云岭越野跑鞋二代" in chinese.event.variants[0].text


@pytest.mark.parametrize(
    "need", ["6 RIBBONS RUSTIC CHARM", "the best 100% wool 羊毛", "a need of very many words " * 9]
)
async def test_whatever_a_need_is_called_there_is_a_line(need: str) -> None:
    service, _ = handlers(budget=0)
    reason = Reason(kind="need", text="Fits your interest.", subject=need)
    event = recommendation("").model_copy(
        update={"items": (RankedItem(product_id="p-1", score=1.0, reasons=(reason,)),)}
    )
    (outgoing,) = await service.on_recommendations([message(event, "c-1")])
    text = outgoing.event.variants[0].text  # type: ignore[union-attr]
    assert "Fernhill Trail Runner 2" in text
    assert len(text) <= 120


async def test_a_line_that_cannot_be_written_sets_nothing_aside() -> None:
    service, _ = handlers(budget=0)
    service.copywriter.checker.rules.append(  # type: ignore[attr-defined]
        ClaimRule(
            id="x", languages=("en",), pattern=re.compile("worth|since", re.IGNORECASE), reason="no", source="test"
        )
    )
    assert await service.on_recommendations([message(recommendation("Fits your interest."), "c-1")]) == []


async def test_only_the_newest_recommendation_of_a_batch_gets_a_line_and_lines_are_cached() -> None:
    service, writer = handlers("Fernhill Trail Runner 2, made for trails.", budget=5)
    batch = [message(recommendation("Fits.", n), "c-1", n) for n in (1, 2)]
    (made,) = await service.on_recommendations(batch)
    again = await service.on_recommendations([message(recommendation("Fits.", 3), "c-1", 3)])
    assert made.key == "r-2"
    assert len(writer.asked) == 1
    assert again[0].event.variants[0].text == made.event.variants[0].text  # type: ignore[union-attr]


def test_budget_refills_with_time() -> None:
    now = [0.0]
    budget = RateBudget(6, clock=lambda: now[0])
    assert [budget.take() for _ in range(7)] == [True] * 6 + [False]
    now[0] = 10.0
    assert [budget.take() for _ in range(2)] == [True, False]


def test_rules_carry_a_reason_and_a_source() -> None:
    import yaml

    for rule in yaml.safe_load(CopySettings().rules.read_text(encoding="utf-8")):
        assert rule["reason"]
        assert rule["source"]
