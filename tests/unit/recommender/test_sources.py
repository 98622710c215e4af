"""Each source alone: what it finds, how much it says, and when there is nothing to say."""

from __future__ import annotations

import numpy as np
import pytest

from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.decay import CO_VISITS
from services.recommender.domain.looks import shopper_number
from services.recommender.domain.pool import Pool
from services.recommender.domain.relevance import Level
from services.recommender.domain.situation import Boards, Near, NeedHits, Situation, Tie
from services.recommender.domain.sources.co_visited import CoVisitedSource
from services.recommender.domain.sources.need import NeedSource
from services.recommender.domain.sources.similar import SimilarSource
from services.recommender.domain.sources.source import Found, Source
from tests.unit.recommender.goods import profile

LEVEL = Level(mean=0.8, deviation=0.02)
NOW = 1_000_000_000


def found(source: Source, **known: object) -> dict[str, Found]:
    """By product, the find that counts."""
    situation = Situation(NOW, Catalogue(), **known)  # type: ignore[arg-type]
    pool = Pool([(source.name, 1.0, source.find(situation))])
    shares = {product_id: pool.shares(at)[0] for product_id, at in pool.place.items()}
    return {product_id: Found(product_id, share.score, share.evidence()) for product_id, share in shares.items()}


def test_a_need_speaks_only_for_what_stands_out() -> None:
    near = Near(LEVEL, ["clearly", "also", "hardly", "not"], np.array([0.88, 0.85, 0.84, 0.79]))
    finds = found(NeedSource(), needs=[NeedHits("Shoes", 1.0, near)])
    assert {id_: find.evidence.notable for id_, find in finds.items()} == {
        "clearly": True,
        "also": True,
        "hardly": False,
    }
    assert 1 > finds["clearly"].score > finds["also"].score > finds["hardly"].score > 0
    # What the customer knows is no measure: a need that is made of a product lies right upon it.
    near = Near(LEVEL, ["bought", "looked at", "close", "hardly"], np.array([1.0, 0.99, 0.88, 0.84]))
    known = profile("me", purchased_product_ids=["bought"])
    need = NeedHits("Shoes", 1.0, near)
    finds = found(NeedSource(), needs=[need], profile=known, recent=["looked at"])
    assert (finds["close"].evidence.notable, finds["hardly"].evidence.notable) == (True, False)
    # Where nothing is much nearer than the rest, nothing is said of any.
    near = Near(LEVEL, ["nearest", "next"], np.array([0.818, 0.81]))
    finds = found(NeedSource(), needs=[NeedHits("Shoes", 1.0, near)])
    assert not any(find.evidence.notable for find in finds.values())


def test_a_product_is_said_to_serve_the_need_that_it_serves_best() -> None:
    strong = NeedHits("Shoes", 0.8, Near(LEVEL, ["y", "x"], np.array([0.86, 0.81])))
    weak = NeedHits("Lamps", 0.2, Near(LEVEL, ["x", "y"], np.array([0.90, 0.86])))
    finds = found(NeedSource(), needs=[strong, weak])
    assert (finds["x"].evidence.subject, finds["y"].evidence.subject) == ("Lamps", "Shoes")
    # At a quarter of the strength a need counts by half.
    alone = found(NeedSource(), needs=[weak])
    assert finds["x"].score == pytest.approx(alone["x"].score / 2)


def test_nothing_resembles_itself() -> None:
    near = Near(LEVEL, ["seen", "like", "unlike"], np.array([1.0, 0.87, 0.7]))
    finds = found(SimilarSource(), recent=["seen"], similar=near)
    assert set(finds) == {"like"}
    assert finds["like"].evidence.looked_at
    assert found(SimilarSource(), recent=[], similar=near) == {}


def test_ties_of_what_was_looked_at_last_weigh_most_and_one_s_own_visits_say_nothing() -> None:
    mark, me, you = CO_VISITS.mark(3.0, NOW), shopper_number("me"), shopper_number("you")
    ties = {
        "last": [Tie("a", mark, looked=(me,)), Tie("b", mark, looked=(me, you))],
        "before": [Tie("c", mark, bought=(you,)), Tie("a", CO_VISITS.mark(0.1, NOW))],
    }
    boards = Boards(clock_ms=NOW)
    finds = found(CoVisitedSource(), customer_id="me", recent=["last", "before"], ties=ties, boards=boards)
    assert finds["a"].score == finds["b"].score == pytest.approx(0.5)
    assert finds["c"].score == pytest.approx(0.4)
    assert not finds["a"].evidence.notable
    assert (finds["b"].evidence.shoppers, finds["b"].evidence.bought) == (1, False)
    assert (finds["c"].evidence.shoppers, finds["c"].evidence.bought) == (1, True)
