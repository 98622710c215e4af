"""Prompts are read first come, first served, and side by side where that costs nobody anything."""

from __future__ import annotations

from rapport.models.decoding.stretches import first_in_line, together
from rapport.models.decoding.text import TorchText
from rapport.models.text_ports import Sampling


def text(tokens: int, read: int = 0, adapter: str = "") -> TorchText:
    made = TorchText([1] * tokens, Sampling(), None, adapter)
    made.read = read
    return made


def test_as_many_as_fit_are_read_to_in_the_order_in_which_they_came() -> None:
    speaking, first, second, third = text(40, read=40), text(100), text(300, read=200), text(60)
    assert first_in_line([speaking, first, second, third], 256) == [first, second]
    assert first_in_line([first, second, third], 260) == [first, second, third]


def test_a_prompt_longer_than_a_step_has_it_for_itself() -> None:
    """Shorter ones behind it wait their turn: they must not be able to starve it."""
    long, short = text(1000), text(10)
    assert first_in_line([long, short], 256) == [long]
    assert first_in_line([short, long], 256) == [short]


def test_stretches_of_one_width_and_adapter_go_together() -> None:
    begins, ends, also_ends, other = text(100), text(75, read=64), text(10), text(12, adapter="brand")
    groups = list(together([begins, ends, also_ends, other]))
    assert [[each.text for each in group] for group in groups] == [[begins], [ends, also_ends], [other]]
    assert [(each.start, each.stop, each.width) for group in groups for each in group] == [
        (0, 64, 64), (64, 75, 16), (0, 10, 16), (0, 12, 16),
    ]  # fmt: skip


def test_joints_stand_at_the_same_places_wherever_reading_begins() -> None:
    """What is reused must be bit for bit what would be computed, so stretches end at multiples of 64 tokens."""
    ((stretch,),) = together([text(200, read=64)])
    assert (stretch.start, stretch.stop) == (64, 128)
