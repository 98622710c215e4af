from __future__ import annotations

import pytest
import torch

from rapport.models.decoding.prefixes import Prefixes
from rapport.models.decoding.rows import GRAIN, rows_within
from rapport.ops.errors import ConfigurationError

SYSTEM = list(range(2 * GRAIN))
MB = torch.zeros(2**18)  # one MB


def test_what_comes_again_is_kept_and_found() -> None:
    prefixes = Prefixes(4)
    for end in (GRAIN, 2 * GRAIN):
        assert not prefixes.wanted("", SYSTEM[:end])
        assert prefixes.wanted("", SYSTEM[:end])
        prefixes.keep("", SYSTEM[:end], MB + end)
    found = list(prefixes.find("", [*SYSTEM, 5, 6]))
    assert [float(block[0]) for block in found] == [GRAIN, 2 * GRAIN]
    assert len(list(prefixes.find("", [*SYSTEM[:GRAIN], 9] * 2))) == 1
    assert list(prefixes.find("", [9, *SYSTEM])) == []
    assert list(prefixes.find("brand", [*SYSTEM, 5])) == []


def test_the_last_token_is_always_computed() -> None:
    prefixes = Prefixes(4)
    prefixes.keep("", SYSTEM[:GRAIN], MB)
    assert list(prefixes.find("", SYSTEM[:GRAIN])) == []
    assert len(list(prefixes.find("", SYSTEM[: GRAIN + 1]))) == 1


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    prefixes = Prefixes(2)
    prompts = [[first] * GRAIN for first in range(3)]
    for prompt in prompts[:2]:
        prefixes.keep("", prompt, MB)
    assert list(prefixes.find("", [*prompts[0], 1]))
    prefixes.keep("", prompts[2], MB)
    assert [bool(list(prefixes.find("", [*prompt, 1]))) for prompt in prompts] == [True, False, True]
    nothing = Prefixes(0)
    assert not any(nothing.wanted("", prompts[0]) for _ in range(3))


def test_rows_fit_into_the_memory_that_was_set() -> None:
    assert rows_within(768, 16, 2048, 23_040) == 16
    assert rows_within(100, 16, 2048, 23_040) == 2
    with pytest.raises(ConfigurationError, match="45 MB") as caught:
        rows_within(10, 16, 2048, 23_040)
    assert caught.value.field == "RAPPORT_WORKER__GENERATION_CACHE_MB"
