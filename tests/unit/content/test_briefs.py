"""What a brief turns into."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rapport.bus.messages import Message, Position
from rapport.events.base import Event
from rapport.events.content import ConsentChanged, ContentDrafted, ContentPublished
from rapport.events.envelope import Envelope
from rapport.events.experiments import ExperimentChanged
from rapport.ops.errors import InvalidRequest, NotFound, StateConflict, UnavailableError
from services.content.domain.checking.similarity import difference
from services.content.domain.repair import repair
from services.content.handlers.review import Drafts, ReviewHandlers

from .conftest import CHECKER, NOW, Kept, brief, handlers
from .test_checks import told

GOOD = "Fernhill Trail Runner 2 is 20% off until 12 March."


def message(event: Event | None, key: str, offset: int = 0) -> Message:
    envelope = Envelope(f"e-{offset}", event.ce_type() if event else "", "/tests", NOW, "default")
    return Message(event, envelope, key, Position("t", 0, offset), 0)


async def test_model_copy_that_passes_is_published() -> None:
    service, _ = handlers(f'"{GOOD}"')
    content = (await service.create(brief(), "default")).content
    assert (content.variants[0].text, content.variants[0].author, content.model) == (GOOD, "model", "scripted@1")
    assert (content.variants[0].template_id, content.variants[0].fluency) == ("campaign-frame-whole", 1.0)


async def test_wrong_tries_stay_in_the_trail_and_the_template_is_used() -> None:
    service, writer = handlers("The best shoe ever!", "Now 50% off.")
    variant = (await service.create(brief(), "default")).content.variants[0]
    assert variant.author == "template"
    assert "€103.20" in variant.text
    assert [(d.author, d.accepted) for d in variant.trail] == [("model", False), ("model", False), ("template", True)]
    assert "claim" in variant.trail[0].codes
    assert "Do not repeat" in writer.asked[1][-1][1]


async def test_a_wrong_sentence_is_left_out_and_the_rest_stands() -> None:
    service, _ = handlers(f"{GOOD} Free shipping for everyone.")
    variant = (await service.create(brief(), "default")).content.variants[0]
    assert (variant.text, variant.author) == (GOOD, "model")
    assert [d.accepted for d in variant.trail] == [False, True]
    assert variant.trail[1].repaired


def test_repair_adds_what_is_missing() -> None:
    facts = told()
    problems = CHECKER.problems("Enjoy your next run.", facts, kind="campaign", channel="email")
    mended = repair("Enjoy your next run.", problems, facts, 160)
    assert mended is not None
    assert CHECKER.problems(mended.text, facts, kind="campaign", channel="email") == []
    assert (
        repair(
            "The best shoe ever!",
            CHECKER.problems("The best shoe ever!", facts, kind="campaign", channel="email"),
            facts,
            160,
        )
        is None
    )


async def test_worker_down_means_template_not_failure() -> None:
    service, _ = handlers(UnavailableError("worker down"))
    content = (await service.create(brief(), "default")).content
    assert (content.variants[0].author, content.model) == ("template", None)


async def test_chinese_comes_from_templates_with_the_tiny_models() -> None:
    service, writer = handlers(GOOD)
    variant = (await service.create(brief(language="zh"), "default")).content.variants[0]
    assert writer.asked == []
    assert "8折" in variant.text
    assert "€103.20" in variant.text


async def test_a_brief_may_do_without_the_model() -> None:
    service, writer = handlers(GOOD)
    assert (await service.create(brief(writer="template"), "default")).content.variants[0].author == "template"
    assert writer.asked == []


async def test_variants_differ_and_the_model_may_not_repeat_one() -> None:
    line = "Take a look at Fernhill Trail Runner 2."
    service, _ = handlers(line, line, line)
    asked = brief(kind="recommendation", discount_percent=None, variants=3)
    variants = (await service.create(asked, "default")).content.variants
    texts = [variant.text for variant in variants]
    assert len(texts) == 3
    assert all(difference(text, [other for other in texts if other != text]) >= 0.2 for text in texts)
    assert [variant.author for variant in variants] == ["model", "template", "template"]
    assert variants[1].trail[0].codes == ("duplicate",)


async def test_an_opening_line_holds_no_figures() -> None:
    service, _ = handlers("Enjoy the trail.", GOOD)
    asked = brief(kind="win_back", discount_percent=None)
    assert (await service.create(asked, "default")).content.variants[0].text == (
        "Enjoy the trail. Take a look at Fernhill Trail Runner 2."
    )
    service, _ = handlers(GOOD, GOOD)
    trail = (await service.create(asked, "default")).content.variants[0].trail
    assert "quantity" in trail[0].codes


async def test_no_more_variants_than_differ() -> None:
    service, _ = handlers()
    variants = (await service.create(brief(variants=10, discount_percent=None), "default")).content.variants
    assert 2 <= len(variants) < 10


async def test_same_request_gets_the_same_copy() -> None:
    service, _ = handlers(GOOD, "Fernhill Trail Runner 2, now €103.20.")
    first = (await service.create(brief(), "default")).content
    assert (await service.create(brief(), "default")).content == first


async def test_unknown_product_is_refused_by_name() -> None:
    service, _ = handlers()
    with pytest.raises(InvalidRequest, match="p-9") as caught:
        await service.create(brief(product_ids=["p-9"]), "default")
    assert caught.value.field == "product_ids"


async def test_requests_are_published_under_their_own_key() -> None:
    service, _ = handlers(GOOD)
    (outgoing,) = await service.on_requests([message(brief(), "q-1")])
    assert (outgoing.topic, outgoing.key, outgoing.event_id) == ("content.published.v1", "q-1", "q-1:content")


async def test_an_sms_carries_link_and_way_out_and_its_segments() -> None:
    service, _ = handlers()
    variant = (await service.create(brief(channel="sms", link="https://shop.example/t"), "default")).content.variants[0]
    assert variant.text.endswith("https://shop.example/t Reply STOP to opt out.")
    assert variant.sms_segments == 1


async def test_only_consented_fields_are_used() -> None:
    asked = brief(kind="win_back", writer="template", customer_id="c-1", personalise=["first_name"])
    service, _ = handlers()
    service.people.consent("default", "c-1", ConsentChanged(customer_id="c-1", fields=(), first_name="Ada"))
    assert "Ada" not in (await service.create(asked, "default")).content.variants[0].text
    service.people.consent(
        "default", "c-1", ConsentChanged(customer_id="c-1", fields=("first_name",), first_name="Ada")
    )
    again = asked.model_copy(update={"request_id": "q-2"})
    assert "Ada" in (await service.create(again, "default")).content.variants[0].text
    with pytest.raises(InvalidRequest) as caught:
        await service.create(asked.model_copy(update={"request_id": "q-3", "personalise": ("salary",)}), "default")
    assert caught.value.field == "personalise"


async def test_an_experiment_starts_with_the_content() -> None:
    service, _ = handlers()
    created = await service.create(brief(variants=2, experiment={"mode": "bandit"}), "default")
    assert [each.topic for each in created.outgoing] == ["experiments.v1", "content.published.v1"]
    started, content = created.outgoing[0].event, created.outgoing[1].event
    assert isinstance(started, ExperimentChanged)
    assert isinstance(content, ContentPublished)
    assert content.experiment_id == started.experiment_id
    assert [info.variation_id for info in started.variations] == [variant.variant_id for variant in content.variants]


async def test_a_draft_waits_for_a_person_and_is_decided_once() -> None:
    service, _ = handlers(GOOD, approval=True)
    created = await service.create(brief(), "default")
    assert (created.status, [each.topic for each in created.outgoing]) == ("pending", ["content.drafts.v1"])
    drafts = Drafts()
    await drafts.apply([message(created.outgoing[0].event, "q-1:content")])
    review = ReviewHandlers(drafts, Kept(), lambda: datetime(2026, 3, 6, tzinfo=UTC))
    with pytest.raises(InvalidRequest, match="reason"):
        await review.review("default", "q-1:content", "reject", "Mia", "")
    with pytest.raises(InvalidRequest, match="named"):
        await review.review("default", "q-1:content", "approve", "", "")
    decided, outgoing = await review.review("default", "q-1:content", "approve", "Mia", "")
    assert (decided.status, decided.by, [each.topic for each in outgoing]) == (
        "approved", "Mia", ["content.published.v1", "content.drafts.v1"],
    )  # fmt: skip
    published = outgoing[0].event
    assert isinstance(published, ContentPublished)
    assert published.approved_by == "Mia"
    # The view has not caught up; another person says no at the same time.
    with pytest.raises(StateConflict, match="approved"):
        await review.review("default", "q-1:content", "reject", "Ole", "dull")
    with pytest.raises(NotFound):
        await review.review("default", "q-9:content", "approve", "Mia", "")
    # The brief comes once more: what was decided stays decided.
    await drafts.apply([message(decided, "q-1:content", 1), message(created.outgoing[0].event, "q-1:content", 2)])
    assert isinstance(drafts.get("default", "q-1:content"), ContentDrafted)
    assert drafts.get("default", "q-1:content").status == "approved"
    assert drafts.listed("default", "pending", 10) == []
