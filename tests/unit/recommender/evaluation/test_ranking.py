"""Full ranking and the figures from it, against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from services.recommender.evaluation.figures import difference, of_lists, per_case, summed_up
from services.recommender.evaluation.full_ranking import Ranked, rank_all
from services.recommender.evaluation.histories import Interaction, histories
from services.recommender.evaluation.scorers import ByFunction
from services.recommender.evaluation.splits import Case, leave_one_out, temporal


def _case(history: list[int], wanted: list[int]) -> Case:
    return Case(0, np.array(history, np.int32), np.array(wanted, np.int32))


def _ranks(scores: list[float], history: list[int], wanted: list[int], *, repeats: bool = False) -> list[int]:
    scorer = ByFunction("fixed", lambda some: np.array([scores] * len(some), np.float32))
    return list(rank_all(scorer, [_case(history, wanted)], repeats=repeats).ranks[0])


def test_the_place_is_among_all_items() -> None:
    assert _ranks([0.1, 0.9, 0.5, 0.7], [], [2]) == [2]


def test_what_is_in_the_history_is_out_of_the_ranking() -> None:
    assert _ranks([0.1, 0.9, 0.5, 0.7], [1, 3], [2]) == [0]


def test_with_repeats_it_stays_in() -> None:
    assert _ranks([0.1, 0.9, 0.5, 0.7], [1, 3], [2], repeats=True) == [2]


def test_a_model_that_tells_nothing_apart_gains_nothing() -> None:
    assert _ranks([1.0] * 50, [], [0]) == [49]


def test_figures_of_one_wanted_item() -> None:
    ranked = Ranked((np.array([2]), np.array([10])), np.zeros((2, 20), np.int32))
    found = per_case(ranked, (10,))
    assert found["HR@10"].tolist() == [1.0, 0.0]
    assert found["NDCG@10"].tolist() == [0.5, 0.0]
    assert found["MRR"].tolist() == pytest.approx([1 / 3, 1 / 11])


def test_figures_of_several_wanted_items() -> None:
    found = per_case(Ranked((np.array([0, 30]),), np.zeros((1, 20), np.int32)), (10,))
    assert found["Recall@10"].tolist() == [0.5]
    # One of two found, at the top: 1 / (1 + 1/log2(3)).
    assert found["NDCG@10"][0] == pytest.approx(0.6131, abs=1e-4)


def test_an_interval_holds_the_mean_and_shrinks_with_more_cases() -> None:
    dice = np.random.default_rng(5)
    few, many = (summed_up({"HR": (dice.random(n) < 0.3).astype(float)})["HR"] for n in (100, 10_000))
    assert few.low < 0.3 < few.high
    assert many.high - many.low < (few.high - few.low) / 5


def test_a_paired_difference_sees_what_two_intervals_would_hide() -> None:
    theirs = np.random.default_rng(2).random(500)
    found = difference(theirs + 0.01, theirs)
    assert found.low == pytest.approx(0.01)


def test_bestsellers_for_everybody_are_told_by_coverage_novelty_and_bias() -> None:
    popularity = np.array([100, 50, 10, 5, 1])
    same = of_lists(np.array([[0, 1]] * 4), popularity, 2)
    spread = of_lists(np.array([[0, 1], [2, 3], [3, 4], [4, 2]]), popularity, 2)
    assert same["coverage@2"] == pytest.approx(0.4)
    assert spread["coverage@2"] == 1.0
    assert same["novelty@2"] < spread["novelty@2"]
    assert same["popularity_bias@2"] > spread["popularity_bias@2"]


def test_leave_one_out_learns_from_neither_of_the_last_two() -> None:
    whole = histories(Interaction("u", item, at) for at, item in enumerate("abcd"))
    split = leave_one_out(whole)
    assert [whole.items[item] for item in split.train.of(0)] == ["a", "b"]
    (validation,), (test,) = split.validation, split.test
    assert [whole.items[item] for item in (*validation.history, *validation.wanted)] == ["a", "b", "c"]
    assert [whole.items[item] for item in (*test.history, *test.wanted)] == ["a", "b", "c", "d"]


def test_a_temporal_split_lets_nothing_of_the_future_into_the_training() -> None:
    rows = [
        Interaction(f"u{user}", f"i{(3 * user + step) % 20}", 100 * step + user)
        for user in range(9)
        for step in range(9)
    ]
    whole = histories(rows)
    split = temporal(whole)
    first_question = min(case.at_ms for case in (*split.validation, *split.test))
    assert split.train.at_ms.max() < first_question
    assert split.test
    for case in split.test:
        assert not set(case.wanted) & set(case.history)
