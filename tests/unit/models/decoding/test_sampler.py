from __future__ import annotations

from collections import Counter

import pytest
import torch

from rapport.models.decoding.sampler import Sampler
from rapport.models.text_ports import Sampling
from rapport.ops.errors import ModelError

# Probabilities 0.5, 0.3, 0.15, 0.05 for tokens 2, 0, 3, 1.
CHANCES = torch.tensor([0.3, 0.05, 0.5, 0.15])


def drawn(times: int, **how: float | int | None) -> Counter[int]:
    sampler = Sampler(Sampling(**{"temperature": 1.0, "seed": 5, **how}))  # type: ignore[arg-type]
    return Counter(sampler.choose(CHANCES.log()) for _ in range(times))


def test_tokens_come_as_often_as_they_should() -> None:
    found = drawn(4000)
    for token, chance in enumerate(CHANCES.tolist()):
        assert found[token] / 4000 == pytest.approx(chance, abs=0.03)


def test_a_temperature_sharpens() -> None:
    squared = CHANCES**2 / (CHANCES**2).sum()
    assert drawn(4000, temperature=0.5)[2] / 4000 == pytest.approx(float(squared[2]), abs=0.03)


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ({"top_p": 0.5}, {2}),
        ({"top_p": 0.51}, {2, 0}),
        ({"top_p": 0.96}, {2, 0, 3, 1}),
        ({"top_k": 1}, {2}),
        ({"top_k": 3}, {2, 0, 3}),
        # Among the top 2 the first has 0.625 of the mass.
        ({"top_k": 2, "top_p": 0.6}, {2}),
        ({"temperature": 0.0}, {2}),
    ],
)
def test_only_the_nucleus_is_drawn_from(how: dict[str, float], left: set[int]) -> None:
    assert set(drawn(600, **how)) == left


def test_a_nucleus_larger_than_usual_is_whole() -> None:
    scores = torch.zeros(1000)
    sampler = Sampler(Sampling(temperature=1.0, top_p=0.9, seed=1))
    assert len({sampler.choose(scores.clone()) for _ in range(5000)}) > 880


def test_the_seed_decides_and_none_is_never_the_same() -> None:
    scores = torch.zeros(1000)

    def say(seed: int | None) -> int:
        return Sampler(Sampling(temperature=1.0, seed=seed)).choose(scores)

    assert say(3) == say(3) != say(4)
    assert len({say(None) for _ in range(20)}) > 10


def test_what_was_said_is_penalised() -> None:
    often = Sampler(Sampling(frequency_penalty=2.0))
    said = [often.choose(CHANCES.log()) for _ in range(6)]
    assert len(set(said)) == 4
    once = Sampler(Sampling(presence_penalty=1.0))
    assert [once.choose(CHANCES.log()) for _ in range(2)] == [2, 0]


@pytest.mark.parametrize("worthless", [float("nan"), -float("inf"), float("inf")])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_scores_that_are_no_numbers_are_an_error(worthless: float, temperature: float) -> None:
    with pytest.raises(ModelError):
        Sampler(Sampling(temperature=temperature)).choose(torch.full((10,), worthless))
