"""Counts what the newest session is made of, and what the orders were: pure functions of the log."""

from __future__ import annotations

from services.profiler.domain.customer import Customer
from services.profiler.domain.learned import Buying, Visit
from services.profiler.domain.observation import Observation, Stage


def count_visit(customer: Customer, seen: Observation) -> Visit:
    """The visit after `seen`, which `customer` has taken in."""
    visit = customer.learned.visit
    if visit.session_id != customer.session.session_id:
        visit = customer.learned.visit = Visit(customer.session.session_id)
    if seen.at < customer.session.started_at:
        return visit  # late, of a session that is over
    visit.searches += any(interest.asked for interest in seen.interests)
    visit.adds += seen.stage == Stage.CART and any(interest.weight > 0 for interest in seen.interests)
    visit.orders += seen.order is not None
    visit.looks += seen.stage == Stage.CONSIDER
    return visit


def count_order(customer: Customer, seen: Observation) -> Buying:
    """The order history after `seen`; an order told twice counts once."""
    buying = customer.learned.buying
    order = seen.order
    if order is None or customer.value.order_count == buying.counted:
        return buying
    buying.counted = customer.value.order_count
    if buying.first_at is None or seen.at < buying.first_at:
        buying.first_at = seen.at
    buying.last_at = max(buying.last_at or seen.at, seen.at)
    if buying.orders and order.currency == customer.value.currency:
        buying.spent += float(order.total)
    buying.orders += 1
    return buying
