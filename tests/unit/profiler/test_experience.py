"""What propensity has learned outlives the process."""

from __future__ import annotations

import numpy as np

from rapport.testing import MemoryKeyValues
from services.profiler.adapters.experience import KeptExperience
from services.profiler.learning.logistic import OnlineLogistic


def taught(examples: int) -> OnlineLogistic:
    dice, model = np.random.default_rng(0), OnlineLogistic.untaught(3)
    inputs = dice.normal(size=(examples, 3))
    model.learn(inputs, (inputs[:, 0] > 0).astype(float))
    return model


async def test_a_new_process_goes_on_where_the_old_one_stopped() -> None:
    redis, old, new = MemoryKeyValues(), taught(500), OnlineLogistic.untaught(3)
    await KeptExperience(redis, "default", {"session": old}).exchange()
    await KeptExperience(redis, "default", {"session": new}).exchange()
    unseen = np.random.default_rng(1).normal(size=(20, 3))
    assert (new.probabilities(unseen) == old.probabilities(unseen)).all()
    assert new.count == 500


async def test_the_copy_that_has_seen_more_stays() -> None:
    redis = MemoryKeyValues()
    await KeptExperience(redis, "default", {"session": taught(500)}).exchange()
    less = KeptExperience(redis, "default", {"session": taught(100)})
    await less.exchange()
    third = OnlineLogistic.untaught(3)
    await KeptExperience(redis, "default", {"session": third}).exchange()
    assert third.count == 500


async def test_inputs_of_another_length_are_not_taken_over() -> None:
    redis, other = MemoryKeyValues(), OnlineLogistic.untaught(5)
    await KeptExperience(redis, "default", {"session": taught(500)}).exchange()
    await KeptExperience(redis, "default", {"session": other}).exchange()
    assert other.count == 0
