"""When a new answer is worth a message."""

from __future__ import annotations

from rapport.events.recommendations import RecommendationMade

# What a shop shows first. A change below it is not worth a message; whoever wants the rest asks.
_SHOWN_FIRST = 5


def fingerprint(made: RecommendationMade) -> str:
    """Equal for answers that do not differ in a way that matters: the strategy, and which products come first in which
    order. Scores move with every event; they alone change nothing for a shopper."""
    return "\n".join([made.strategy, *(item.product_id for item in made.items[:_SHOWN_FIRST])])
