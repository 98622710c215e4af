"""Why somebody entered or left a segment, in one plain sentence that is true of this customer."""

from __future__ import annotations

from services.profiler.domain.customer import Customer
from services.profiler.domain.membership import Change
from services.profiler.segments.model import LinearSegments, Segment

_NAMED = 2
_DAY_MS = 86_400_000


def reason(change: Change, customer: Customer, model: LinearSegments) -> str:
    """Made of what the customer shares with the segment (or, on leaving, of what they are after instead)."""
    segment = next((each for each in model.segments if each.id == change.segment), None)
    if segment is None:
        return f"{change.name} is no segment any more since its customers are grouped anew"
    if model.family == "type":
        fits = "typical of" if change.change == "entered" else "no longer typical of"
        return f"{_record(customer)}: {fits} {change.name}"
    shared = _shared(customer, segment)
    if change.change == "entered":
        if not shared:
            return f"their interests as a whole are like those of {change.name} customers"
        return f"interest in {' and '.join(shared)}, as {change.name} customers have"
    now = " and ".join(name for name, _ in _interests(customer)[:_NAMED]) or "nothing in particular"
    return f"interest moved to {now}"


def _shared(customer: Customer, segment: Segment) -> list[str]:
    typical = {name.partition(": ")[2] for name, _ in segment.traits}
    return [name for name, _ in _interests(customer) if name in typical][:_NAMED]


def _interests(customer: Customer) -> list[tuple[str, float]]:
    tally = customer.affinities.get("category")
    return tally.shares() if tally else []


def _record(customer: Customer) -> str:
    orders, sessions = customer.value.order_count, customer.session.number
    told = f"{_counted(orders, 'order')} in {_counted(sessions, 'session')}"
    if customer.value.last_order_at is None:
        return told
    days = max(0, customer.now - customer.value.last_order_at) // _DAY_MS
    since = "before the last visit" if customer.now == customer.last_seen_at else "ago"
    return f"{told}, the last order {_counted(days, 'day')} {since}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
