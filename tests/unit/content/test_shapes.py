"""What decoding is held to lets the checks' favourite texts through, and keeps other figures out."""

from __future__ import annotations

import re

import pytest

from services.content.domain.shapes import shape
from services.content.domain.templates import WordsSlot

from .test_checks import told

WHOLE = WordsSlot(task="whole", max_characters=160)
OPENING = WordsSlot(task="opening", max_characters=90)


@pytest.mark.parametrize(
    ("language", "text", "fits"),
    [
        ("en", "Fernhill Trail Runner 2 is 20% off until 12 March.", True),
        ("en", "Enjoy Fernhill Trail Runner 2, now €103.20, until 12 March.", True),
        ("en", "Fernhill Trail Runner 2 is 25% off until 12 March.", False),
        ("en", "Fernhill Trail Runner 2 is 20% off until 13 March.", False),
        ("en", "Fernhill Trail Runner 2 is here.", False),  # a campaign without its offer
        ("en", "Welcome back, take a look at Fernhill Trail Runner 2, now €103.20.", True),
        ("en", "Fernhill Trail Runner 2 for paths€103.20.", False),  # no space before a figure
        ("en", "Another shoe is 20% off.", False),
        ("zh", "云岭越野跑鞋二代现享8折,截至3月12日。", True),
        ("zh", "云岭越野跑鞋二代现享7折。", False),
    ],
)
def test_a_campaign_tells_its_own_figures_alone(language: str, text: str, fits: bool) -> None:
    pattern = shape("campaign", told(language=language), WHOLE)
    assert pattern is not None
    assert bool(re.fullmatch(pattern, text)) is fits


def test_an_opening_has_no_figures_and_ends() -> None:
    pattern = shape("campaign", told(), OPENING)
    assert pattern is not None
    assert re.fullmatch(pattern, "Something good is waiting for you.")
    assert not re.fullmatch(pattern, "Get 20% off today.")
    assert not re.fullmatch(pattern, "Something good is waiting for")
    assert not re.fullmatch(pattern, "A car seat.")  # opens nothing


def test_a_language_without_a_shape_is_left_free() -> None:
    assert shape("campaign", told(language="de"), WHOLE) is None
