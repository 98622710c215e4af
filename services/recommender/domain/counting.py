"""What a batch of looks adds to the counts: which products go together, which are trending, which popular."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import permutations

from services.recommender.domain.decay import CO_VISITS, POPULAR, REACTIONS, TRENDING, Decay, add_marks
from services.recommender.domain.looks import Kind, Look, shopper_number
from services.recommender.domain.reactions import NO_REACTIONS, Reactions, examination
from services.recommender.domain.trail import Trail, step

DayOf = Callable[[int], str]
"""The ISO date, in the shop's time zone, of a time in milliseconds."""

# Shoppers remembered for each pair. With three of them, two others are known whoever asks.
SHOPPERS_KEPT = 3
# Boards, and which kind of look counts on which.
BOARDS = ("trending", "popular", "examined", "clicked", "refused")
_FOR: tuple[tuple[str, Decay], ...] = (("trending", TRENDING), ("popular", POPULAR))
_AGAINST: tuple[tuple[str, Decay], ...] = (("refused", REACTIONS),)
_COUNTS_ON: Mapping[Kind, tuple[tuple[str, Decay], ...]] = {
    "looked": _FOR, "wanted": _FOR, "bought": _FOR, "praised": _FOR,
    "dropped": _AGAINST, "panned": _AGAINST, "returned": _AGAINST,
    "shown": (("examined", REACTIONS),), "clicked": (("clicked", REACTIONS),),
}  # fmt: skip
# Kinds that change what is known of the customer's own mind.
_REACTS = frozenset({"shown", "clicked", "panned", "returned"})
# Bought together says more than looked at together.
_BOUGHT_WEIGHT = 2.0


@dataclass(slots=True)
class Pairing:
    """What is added to one product's tie to another."""

    mark: float
    looked: list[int] = field(default_factory=list)
    """Shoppers (their numbers) who looked at both in one visit: the first few, in order, so that however the log is cut
    into batches the same ones are remembered."""
    bought: list[int] = field(default_factory=list)
    """Shoppers who bought both in one order, likewise."""


@dataclass(slots=True)
class Counted:
    """Additions, ready to be stored. Each kind of count can be added in any order, but only once."""

    pairings: dict[str, dict[str, Pairing]] = field(default_factory=dict)
    """By product, then by the other."""
    boards: dict[str, dict[str, float]] = field(default_factory=lambda: {name: {} for name in BOARDS})
    """Marks by board, then by product."""
    shoppers: dict[str, dict[str, int]] = field(default_factory=dict)
    """By day, then by product: how many more shoppers looked at it."""
    trails: dict[str, Trail] = field(default_factory=dict)
    """By customer, as they are now; those of customers who looked at something."""
    reactions: dict[str, Reactions] = field(default_factory=dict)
    """By customer, as they are now; those that changed."""
    latest_ms: int = 0
    """Event time of the newest look."""


def count(
    looks: Iterable[Look], trails: Mapping[str, Trail], reactions: Mapping[str, Reactions], day_of: DayOf
) -> Counted:
    """The additions of `looks`, in their order; `trails` and `reactions` are those of their customers before them."""
    counted = Counted()
    for look in looks:
        counted.latest_ms = max(counted.latest_ms, look.at_ms)
        for name, decay in _COUNTS_ON.get(look.kind, ()):
            for place, product_id in enumerate(look.product_ids):
                weight = look.weight * (examination(place) if name == "examined" else 1.0)
                _add(counted.boards[name], product_id, decay.mark(weight, look.at_ms))
        if look.kind == "bought":
            _bought(counted, look)
        elif look.kind == "looked":
            _looked(counted, look, trails, day_of(look.at_ms))
        elif look.kind in _REACTS:
            _reacted(counted, look, reactions)
    return counted


def _reacted(counted: Counted, look: Look, reactions: Mapping[str, Reactions]) -> None:
    """What the customer made of the products."""
    known = counted.reactions.get(look.customer_id) or reactions.get(look.customer_id, NO_REACTIONS)
    for product_id in look.product_ids:
        if look.kind == "shown":
            known = known.shown(product_id, look.at_ms)
        elif look.kind == "clicked":
            known = known.clicked(product_id)
        else:
            known = known.refused(product_id, look.at_ms)
    counted.reactions[look.customer_id] = known


def _looked(counted: Counted, look: Look, trails: Mapping[str, Trail], day: str) -> None:
    product_id, shopper = look.product_ids[0], shopper_number(look.customer_id)
    before = counted.trails.get(look.customer_id) or trails.get(look.customer_id, Trail())
    done = step(before, product_id, look.at_ms, day)
    counted.trails[look.customer_id] = done.trail
    if done.first_today:
        today = counted.shoppers.setdefault(day, {})
        today[product_id] = today.get(product_id, 0) + 1
    mark = CO_VISITS.mark(1.0, look.at_ms)
    for other in done.paired:
        for one, two in ((product_id, other), (other, product_id)):
            _keep(_pair(counted, one, two, mark).looked, shopper)


def _bought(counted: Counted, look: Look) -> None:
    mark, shopper = CO_VISITS.mark(_BOUGHT_WEIGHT, look.at_ms), shopper_number(look.customer_id)
    for one, two in permutations(look.product_ids, 2):
        _keep(_pair(counted, one, two, mark).bought, shopper)


def _pair(counted: Counted, one: str, two: str, mark: float) -> Pairing:
    ties = counted.pairings.setdefault(one, {})
    tie = ties.get(two)
    if tie is None:
        tie = ties[two] = Pairing(mark)
    else:
        tie.mark = add_marks(tie.mark, mark)
    return tie


def _keep(shoppers: list[int], shopper: int) -> None:
    if len(shoppers) < SHOPPERS_KEPT and shopper not in shoppers:
        shoppers.append(shopper)


def _add(marks: dict[str, float], product_id: str, mark: float) -> None:
    known = marks.get(product_id)
    marks[product_id] = mark if known is None else add_marks(known, mark)
