from __future__ import annotations

from rapport.serving.lanes import BULK_EVERY, Lanes
from rapport.serving.vocabulary import Priority


def take(lanes: Lanes[str]) -> str:
    return next(lane.popleft() for lane in lanes.turn() if lane)


def test_first_in_first_out_within_a_priority() -> None:
    lanes: Lanes[str] = Lanes()
    for name in "abc":
        lanes.put(name, Priority.INTERACTIVE)
    assert [take(lanes) for _ in range(3)] == ["a", "b", "c"]


def test_interactive_goes_first_and_bulk_is_not_starved() -> None:
    lanes: Lanes[str] = Lanes()
    for number in range(20):
        lanes.put(f"bulk{number}", Priority.BULK)
        lanes.put(f"now{number}", Priority.INTERACTIVE)
    taken = [take(lanes) for _ in range(2 * BULK_EVERY)]
    assert [name for name in taken if name.startswith("bulk")] == ["bulk0", "bulk1"]
    assert taken[0] == "now0"


def test_what_is_dropped_does_not_come() -> None:
    lanes: Lanes[str] = Lanes()
    lanes.put("a", Priority.BULK)
    lanes.put("b", Priority.BULK)
    lanes.drop("a", Priority.BULK)
    lanes.drop("a", Priority.BULK)
    assert len(lanes) == 1
    assert take(lanes) == "b"
