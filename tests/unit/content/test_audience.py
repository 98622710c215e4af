"""Audiences by segment and by query."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rapport.events.profiles import ProfileUpdated
from rapport.ops.errors import InvalidRequest
from services.content.domain.audience import People

NOW = datetime(2026, 3, 5, tzinfo=UTC)


def profile(customer: str, orders: int, language: str, segment: str) -> ProfileUpdated:
    return ProfileUpdated.model_validate(
        {
            "customer_id": customer, "revision": 1, "first_seen_at": NOW,
            "last_seen_at": datetime(2026, 3, 1, tzinfo=UTC),
            "event_count": 3, "language": language, "value": {"order_count": orders},
            "affinities": [{"dimension": "category", "value": "Shoes", "weight": 1.0}],
            "session": {
                "session_id": "s", "started_at": NOW, "last_event_at": NOW, "event_count": 1, "funnel_stage": "cart",
                "session_count": 2,
            },
            "segments": [{"segment_id": "s-1", "name": segment, "family": "taste", "confidence": 0.9, "since": NOW}],
        }
    )  # fmt: skip


@pytest.fixture
def people() -> People:
    found = People()
    for number in range(6):
        own = profile(f"c-{number}", number, "zh" if number % 2 else "en", "runners" if number < 4 else "walkers")
        found.profile("default", f"c-{number}", own)
    return found


@pytest.mark.parametrize(
    ("query", "members"),
    [
        ("order_count > 3", ["c-4", "c-5"]),
        ('language == "zh" && order_count >= 1', ["c-1", "c-3", "c-5"]),
        ('"walkers" in segments', ["c-4", "c-5"]),
        ("days_since_seen < 5.0 && funnel_stage == 'cart' && customer_id == 'c-2'", ["c-2"]),
        ("days_since_seen > 30.0", []),
    ],
)
def test_a_query_finds_its_customers(people: People, query: str, members: list[str]) -> None:
    assert people.members("default", segment=None, query=query, now=NOW) == members


def test_a_segment_has_its_members_by_name_and_id(people: People) -> None:
    assert people.members("default", segment="walkers", query=None, now=NOW) == ["c-4", "c-5"]
    assert len(people.members("default", segment="s-1", query=None, now=NOW)) == 6
    assert people.members("other", segment="walkers", query=None, now=NOW) == []


def test_an_erased_customer_is_in_no_audience(people: People) -> None:
    people.profile("default", "c-4", None)
    assert people.members("default", segment="walkers", query=None, now=NOW) == ["c-5"]


@pytest.mark.parametrize("query", ["order_count >", "salary > 3", "order_count"])
def test_a_wrong_query_is_refused_before_it_runs(people: People, query: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        people.members("default", segment=None, query=query, now=NOW)
    assert caught.value.field == "audience_query"
