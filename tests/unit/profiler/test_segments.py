"""Segments: who is in which, what they are called, and that nobody flaps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rapport.events.profiles import SegmentChanged
from rapport.ops.errors import StateConflict
from rapport.testing import viewed
from services.profiler.domain.customer import Customer
from services.profiler.domain.learned import Membership
from services.profiler.domain.membership import Thresholds, decide
from services.profiler.domain.rules import Rules
from services.profiler.segments.clustering import Clusters, cluster
from services.profiler.segments.features import taste
from services.profiler.segments.model import LinearSegments, Rows, Segment, unit
from services.profiler.segments.naming import described, kept_names
from services.profiler.segments.observer import SegmentObserver
from services.profiler.training.segments import fit_customer_types, fit_tastes
from tests.unit.profiler.conftest import Shop

NAMES = {"a": "Runners", "b": "Cooks"}
SURE = Thresholds()


def blobs(k: int, each: int, seed: int = 0) -> Rows:
    dice = np.random.default_rng(seed)
    centres = unit(dice.standard_normal((k, 32)).astype(np.float32))
    return unit(np.concatenate([centre + 0.05 * dice.standard_normal((each, 32)) for centre in centres]).astype("f4"))


def test_a_segment_is_entered_above_and_left_below_and_kept_in_between() -> None:
    member, changes = decide(None, {"a": 0.7, "b": 0.3}, NAMES, 10, 1, SURE)
    assert member == Membership("a", "Runners", 1, 0.7)
    assert [(each.change, each.name) for each in changes] == [("entered", "Runners")]
    for share in (0.5, 0.4, 0.36, 0.55):
        member, changes = decide(member, {"a": share, "b": 1 - share}, NAMES, 10, 2, SURE)
        assert changes == []
        assert member is not None
        assert (member.segment, member.since) == ("a", 1)
    member, changes = decide(member, {"a": 0.3, "b": 0.7}, NAMES, 10, 3, SURE)
    assert [(each.change, each.segment) for each in changes] == [("left", "a"), ("entered", "b")]
    assert member is not None
    assert member.since == 3


def test_somebody_hardly_known_is_put_nowhere() -> None:
    assert decide(None, {"a": 0.99, "b": 0.01}, NAMES, 2, 1, SURE) == (None, [])


def test_a_segment_that_a_refit_dissolved_is_left() -> None:
    _, changes = decide(Membership("z", "Gone", 0, 0.9), {"a": 0.5, "b": 0.5}, NAMES, 9, 1, SURE)
    assert [(each.change, each.name, each.confidence) for each in changes] == [("left", "Gone", 1.0)]


def test_noise_around_a_threshold_moves_nobody_twice() -> None:
    shares = np.clip(np.random.default_rng(0).normal(0.5, 0.05, 500), 0, 1)
    member, moves = None, 0
    for at, share in enumerate(shares.tolist()):
        member, changes = decide(member, {"a": share, "b": 1 - share}, NAMES, 9, at, SURE)
        moves += len(changes)
    assert np.count_nonzero(np.diff(shares > 0.5)) > 200  # how often the likelier one changes
    assert moves <= 5


def test_the_number_of_clusters_is_found() -> None:
    found = cluster(blobs(5, 40), range(2, 9))
    assert found.k == 5
    assert max(found.criterion, key=lambda k: found.criterion[k]) == 5
    assert all(len(set(found.labels[start : start + 40])) == 1 for start in range(0, 200, 40))


def test_what_is_served_says_the_same_as_the_clustering() -> None:
    vectors = blobs(4, 30)
    found = cluster(vectors, range(2, 7))
    model = LinearSegments("taste", "1", "e@1", tuple(_segments(found)), found.weights, found.biases)
    assert (model.all_probabilities(vectors).argmax(axis=1) == found.labels).all()


def test_a_refit_keeps_the_names_of_those_who_stay_together() -> None:
    vectors = blobs(4, 30)
    first = cluster(vectors, range(2, 7))
    before = LinearSegments("taste", "1", "e@1", tuple(_segments(first)), first.weights, first.biases)
    later = vectors[::-1].copy()  # clusters come out in another order
    second = cluster(later, range(2, 7))
    again = kept_names(described(second, [{"category: New": 1.0}] * 120), second.labels, before, later)
    for place in range(second.k):
        old = before.all_probabilities(later[second.labels == place]).argmax(axis=1)[0]
        assert (again[place].id, again[place].name) == (before.segments[old].id, before.segments[old].name)


def test_a_new_cluster_gets_an_id_of_its_own() -> None:
    vectors = blobs(3, 30)
    first = cluster(vectors[:60], range(2, 3))
    before = LinearSegments("taste", "1", "e@1", tuple(_segments(first)), first.weights, first.biases)
    second = cluster(vectors, range(3, 4))
    again = kept_names(_segments(second), second.labels, before, vectors)
    assert len({segment.id for segment in again}) == 3
    assert {"taste-1", "taste-2"} < {segment.id for segment in again}
    assert len({segment.name for segment in again}) == 3


def test_a_segment_is_named_by_what_sets_it_apart() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    clusters = Clusters(labels, np.zeros((2, 4), "f4"), np.zeros(2, "f4"), {2: 0.9})
    shoes = {"category: Shoes": 0.8, "category: Socks": 0.2}
    pans = {"category: Pans": 0.9, "category: Socks": 0.1}
    one, two = described(clusters, [shoes] * 10 + [pans] * 10)
    assert one.name == "Shoes & Socks"
    assert two.name == "Pans"
    assert one.sentence == "50% of customers, who look at Shoes 2 times, Socks 1.3 times as much as everybody does"


async def test_customers_enter_segments_as_they_go_and_leave_when_they_turn(shop: Shop) -> None:
    """The whole way: views, a fit on the customers as they are, segments.v1, the profile."""
    for number in range(30):
        kind = ("running", "coffee", "headphones")[number % 3]
        await shop.happen(*(viewed(f"u{number}", f"{kind}-{step}") for step in range(4)), minutes=number)
    customers = {f"u{number}": shop.kept(f"u{number}") for number in range(30)}
    fitted = fit_tastes(customers, None, Rules())
    observer = SegmentObserver(Rules(), Thresholds())
    observer.use("taste", fitted.model)
    shop.ports = replace(shop.ports, observers=(observer,))
    out = await shop.take(*(shop.at(viewed("new", f"running-{n % 4}"), minutes=60 + n) for n in range(4)))
    changed = [each.event for each in out if each.topic == "segments.v1"]
    assert [(e.change, e.family) for e in changed if isinstance(e, SegmentChanged)] == [("entered", "taste")]
    assert isinstance(changed[0], SegmentChanged)
    assert "Running shoes" in changed[0].reason
    profile = await shop.profile("new")
    assert [each.name for each in profile.segments] == [changed[0].segment]
    turned = await shop.take(*(shop.at(viewed("new", f"coffee-{n % 4}"), days=60, minutes=n) for n in range(8)))
    moves = [each.event.change for each in turned if isinstance(each.event, SegmentChanged)]
    assert moves == ["left", "entered"]


async def test_types_follow_the_rules_until_a_person_corrects_them(shop: Shop) -> None:
    for number in range(60):
        await shop.happen(*(viewed(f"u{number}", f"running-{step % 4}") for step in range(4)), days=number % 9)
    customers = {f"u{number}": shop.kept(f"u{number}") for number in range(60)}
    with pytest.raises(StateConflict, match="only 1 type"):
        fit_customer_types(customers, {})  # everybody is a newcomer: that is no news of anybody
    fitted = fit_customer_types(customers, {f"u{number}": "Scout" for number in range(20)})
    assert set(fitted.counts) == {"Newcomer", "Scout"}


def test_segments_survive_being_stored(tmp_path: Path) -> None:
    found = cluster(blobs(3, 30), range(2, 5))
    model = LinearSegments("taste", "", "e@1", tuple(_segments(found)), found.weights, found.biases)
    model.save(tmp_path)
    loaded = LinearSegments.load(tmp_path, "v7")
    vectors = blobs(3, 5)
    assert loaded.version == "v7"
    assert loaded.segments == model.segments
    assert loaded.all_probabilities(vectors) == pytest.approx(model.all_probabilities(vectors))


def test_a_taste_is_what_the_customer_is_after_now() -> None:
    assert taste(Customer.nobody(0), Rules()) is None


def _segments(found: Clusters) -> list[Segment]:
    traits = [{f"category: Kind {label}": 1.0} for label in found.labels]
    return kept_names(described(found, traits), found.labels, None, blobs(1, 1))
