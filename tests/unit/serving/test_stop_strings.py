from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rapport.serving.generating.stop_strings import StopStrings


def said(pieces: list[str], stops: list[str]) -> str:
    stopping = StopStrings(stops)
    shown = ""
    for piece in pieces:
        shown += stopping.feed(piece)
        if stopping.met:
            return shown
    return shown + stopping.rest()


def test_ends_before_the_first_stop_string_across_pieces() -> None:
    assert said(["Hello wor", "ld.\n", "\nUser", ": more"], ["\n\nUser:"]) == "Hello world."


def test_a_beginning_that_does_not_go_on_is_shown() -> None:
    assert said(["a", "b", "a", "c"], ["abab"]) == "abac"


def test_nothing_is_held_back_without_need() -> None:
    stopping = StopStrings(["END"])
    assert stopping.feed("plain text E") == "plain text "
    assert stopping.feed("asy") == "Easy"


def test_the_earliest_of_several_wins() -> None:
    assert said(["one two three"], ["three", "two"]) == "one "


@given(
    st.lists(st.text("ab。", max_size=5), max_size=12), st.lists(st.text("ab。", min_size=1, max_size=4), max_size=3)
)
def test_the_same_as_searching_the_whole_text(pieces: list[str], stops: list[str]) -> None:
    whole = "".join(pieces)
    first = min((at for stop in stops if (at := whole.find(stop)) >= 0), default=len(whole))
    # Pieces may reveal a stop string that ends earlier but begins later; only the shown text counts, and it is a
    # prefix that holds no stop string and leaves out nothing when there is none.
    shown = said(pieces, stops)
    assert whole.startswith(shown)
    assert not any(stop in shown for stop in stops)
    if first == len(whole):
        assert shown == whole
