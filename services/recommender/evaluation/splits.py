"""What a model may learn from, and what it is then asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rapport.ops.errors import InvalidRequest
from services.recommender.evaluation.histories import Histories, Ids


@dataclass(frozen=True, slots=True)
class Case:
    """One question: after this, what comes?"""

    user: int
    history: Ids
    """Item numbers known when the question is asked, oldest first."""
    wanted: Ids
    """Item numbers that came: distinct, at least one."""
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    train: Histories
    """What models are fitted on."""
    validation: tuple[Case, ...]
    """For choosing among settings, and for fitting a blend of fitted models."""
    test: tuple[Case, ...]
    """For the figures."""
    protocol: str
    """The split in words; stands beside every figure."""
    repeats: bool = False
    """Whether what is in a history may be asked for again (baskets), and so stays in the ranking."""


def leave_one_out(whole: Histories) -> Split:
    """The last item of each user is the test, the one before it the validation, the rest is learned from. The history
    of a test case holds its validation item. Users with fewer than three items are learned from alone."""
    last = np.repeat(whole.starts[1:], whole.lengths())
    from_end = last - np.arange(len(whole))
    enough = np.repeat(whole.lengths() >= 3, whole.lengths())
    train = whole.where(~enough | (from_end > 2))
    users = [user for user, length in enumerate(whole.lengths()) if length >= 3]
    return Split(
        train,
        tuple(_asked(whole, user, -2) for user in users),
        tuple(_asked(whole, user, -1) for user in users),
        "leave-one-out: each user's last item is the test, the last but one the validation; fitted on the rest",
    )


def temporal(whole: Histories, shares: tuple[float, float] = (0.8, 0.9), *, repeats: bool = False) -> Split:
    """One moment for all users: learned from is what lies before it, as in production. `shares` of the interactions end
    the training and the validation. A case is a user with a history at that moment; wanted is all that came after it
    and was not in the history (with `repeats`: the whole of the user's next basket, the first moment after it)."""
    if not len(whole):
        raise InvalidRequest("nothing to split", field="interactions")
    bounds = [int(np.quantile(whole.at_ms, share)) for share in shares]
    first, second = bounds
    end = int(whole.at_ms.max()) + 1
    basket = ", next basket, repeats allowed" if repeats else ", new items only"
    return Split(
        whole.where(whole.at_ms < first),
        tuple(_between(whole, first, second, repeats=repeats)),
        tuple(_between(whole, second, end, repeats=repeats)),
        f"temporal: fitted on the first {shares[0]:.0%} of the interactions, validation up to {shares[1]:.0%}, "
        f"test after{basket}; histories run up to the moment of the question",
        repeats,
    )


def _asked(whole: Histories, user: int, place: int) -> Case:
    row = int(whole.starts[user + 1]) + place
    items = whole.of(user)
    return Case(user, items[:place], items[place:][:1], int(whole.at_ms[row]))


def _between(whole: Histories, begin: int, end: int, *, repeats: bool) -> Sequence[Case]:
    cases = []
    for user in range(len(whole.users)):
        at = whole.at_ms[whole.starts[user] : whole.starts[user + 1]]
        items = whole.of(user)
        seen, until = np.searchsorted(at, [begin, end])
        if seen in (0, until):
            continue
        if repeats:
            wanted = items[seen:until][at[seen:until] == at[seen]]
        else:
            wanted = np.setdiff1d(items[seen:until], items[:seen])
        if len(wanted):
            cases.append(Case(user, items[:seen], np.unique(wanted), int(at[seen])))
    return cases
