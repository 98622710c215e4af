"""Where a customer has been lately: enough to pair what they look at, and to count them once a day for a product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import msgspec

# Products seen within this time of each other belong to one visit (the profiler's session gap is the same).
TOGETHER_MS = 30 * 60_000
# A look pairs with this many looks before it; more would pair a morning's browsing with itself.
_PAIRED = 10
# Looks kept. Twice what is paired, so that a look that goes back and forth does not push the others out.
_KEPT = 20
# Products a day for which a customer is counted as a shopper; past it, counts stay below the truth.
_COUNTED_A_DAY = 500


class Trail(msgspec.Struct, array_like=True, frozen=True):
    """The last different products a customer looked at, oldest first, and all of the day of the last look."""

    looks: tuple[tuple[str, int], ...] = ()
    """Product id and event time in milliseconds."""
    day: str = ""
    """ISO date in the shop's time zone."""
    today: tuple[str, ...] = ()

    def encode(self) -> bytes:
        return _ENCODER.encode(self)

    @classmethod
    def decode(cls, data: bytes | None) -> Self:
        return _DECODER.decode(data) if data else cls()  # type: ignore[return-value]

    @property
    def recent(self) -> tuple[str, ...]:
        """Product ids, newest first."""
        return tuple(product_id for product_id, _ in reversed(self.looks))


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Trail)


@dataclass(frozen=True, slots=True)
class Step:
    """What one look adds: the trail after it, the products it pairs with, and whether it is the day's first."""

    trail: Trail
    paired: tuple[str, ...]
    first_today: bool


def step(trail: Trail, product_id: str, at_ms: int, day: str) -> Step:
    """`trail` with a look at `product_id`. A pair counts once a visit, however often its products are looked at."""
    before = dict(trail.looks)
    again = before.pop(product_id, None)
    others = [(other, at) for other, at in before.items() if abs(at_ms - at) <= TOGETHER_MS][-_PAIRED:]
    paired = tuple(other for other, at in others if again is None or abs(at - again) > TOGETHER_MS)
    latest = max(at_ms, again or at_ms)
    looks = (*before.items(), (product_id, latest))[-_KEPT:]
    seen_today, first = _today(trail, product_id, day)
    return Step(Trail(looks, max(day, trail.day), seen_today), paired, first)


def _today(trail: Trail, product_id: str, day: str) -> tuple[tuple[str, ...], bool]:
    """The day's products with this one, and whether it is new among them. A look of a day gone by is not counted."""
    if day < trail.day:
        return trail.today, False
    seen = trail.today if day == trail.day else ()
    if product_id in seen or len(seen) >= _COUNTED_A_DAY:
        return seen, False
    return (*seen, product_id), True
