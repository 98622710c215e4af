"""Scores mean the same for every query and every encoder."""

from __future__ import annotations

import numpy as np
import pytest

from services.recommender.domain.decay import Decay, add_marks
from services.recommender.domain.relevance import UNKNOWN_LEVEL, Cohort, Vectors, score


def _narrow_cone(seed: int, rows: int, offset: float) -> Vectors:
    """Unit vectors as an E5 encoder gives them: all near one axis."""
    vectors = np.random.default_rng(seed).standard_normal((rows, 64)).astype(np.float32)
    vectors[:, 0] += offset
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize("offset", [0.0, 10.0, 40.0])
def test_what_stands_out_does_so_whatever_the_level_of_the_cosines(offset: float) -> None:
    items = _narrow_cone(1, 500, offset)
    cohort = Cohort()
    cohort.put([f"p{number}" for number in range(500)], items)
    # A query halfway between the first item and nothing in particular.
    query = items[0] + items[1]
    query /= np.linalg.norm(query)
    (level,) = cohort.levels(query[None])
    above = [level.above(float(cosine)) for cosine in items @ query]
    assert above[0] > 3
    assert above[1] > 3
    assert np.mean(above) == pytest.approx(0, abs=0.2)
    assert np.std(above) == pytest.approx(1, abs=0.2)


def test_the_sample_is_the_same_whatever_the_order_and_survives_delisting() -> None:
    items = _narrow_cone(2, 1000, 5)
    ids = [f"p{number}" for number in range(1000)]
    one, other = Cohort(), Cohort()
    one.put(ids, items)
    for begin in range(999, -1, -1):
        other.put([ids[begin]], items[begin : begin + 1])
    query = items[:1]
    assert one.levels(query) == other.levels(query)
    for id_ in ids[:300]:
        one.remove(id_)
    (level,) = one.levels(query)
    assert level.deviation > 0


def test_a_handful_of_products_has_no_level_of_its_own() -> None:
    cohort = Cohort()
    cohort.put(["a", "b"], _narrow_cone(3, 2, 0))
    assert cohort.levels(_narrow_cone(4, 1, 0)) == [UNKNOWN_LEVEL]


def test_scores_rise_from_nothing_towards_one() -> None:
    nothing, *values = score(np.array([-1.0, 0.5, 1.0, 2.0, 4.0, 8.0])).tolist()
    assert nothing == 0
    assert values == sorted(values)
    assert 0 < values[0] < values[-1] < 1


def test_marks_add_up_in_any_order_over_decades() -> None:
    decay = Decay(half_life_hours=6)
    year_ms = 365 * 86_400_000
    marks = [decay.mark(weight, at) for weight, at in ((1, 50 * year_ms), (3, 50 * year_ms), (1, 40 * year_ms))]
    total = add_marks(add_marks(marks[0], marks[1]), marks[2])
    assert total == pytest.approx(add_marks(marks[2], add_marks(marks[1], marks[0])))
    assert decay.worth(total, 50 * year_ms) == pytest.approx(4)
    assert decay.worth(total, 50 * year_ms + 6 * 3_600_000) == pytest.approx(2)
    assert decay.worth(total, 10 * year_ms) == 2.0**60
