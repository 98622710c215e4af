"""What really was the case. Kept apart from the events, for evaluation; never published."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from services.demo.domain.interest import Interests
from services.demo.domain.plan import Plan
from services.demo.domain.satisfaction import quality
from services.demo.domain.shopper import Shopper
from services.demo.domain.world import World


@dataclass
class GroundTruth:
    """Grows with the events that have been simulated."""

    shoppers: dict[str, Shopper] = field(default_factory=dict)
    """By customer id, those who came."""
    visits: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By session id: the customer, and the kinds of product that the visit was about."""
    satisfaction: dict[str, dict[str, float]] = field(default_factory=dict)
    """By order id and product id, 0 to 1."""
    chats: dict[str, str] = field(default_factory=dict)
    """By message id: the `translation_of` of the article that answers, or order_status, recommend, person, …"""

    def as_dict(self, world: World, plan: Plan, end: datetime) -> dict[str, Any]:
        """Everything, in JSON's own types; interests from the plan's start to `end`."""
        interests = Interests(world, plan)
        return {
            "plan": asdict(plan) | {"start": plan.start.isoformat(), "end": end.isoformat()},
            "shoppers": {
                customer: asdict(shopper)
                | {
                    "anonymous_id": shopper.anonymous_id,
                    "interests": [
                        {"type": each.type, "kinds": each.kinds, "since": each.since and each.since.isoformat()}
                        for each in interests.between(shopper, plan.start, end)
                    ],
                }
                for customer, shopper in self.shoppers.items()
            },
            "quality": {product.id: quality(plan, product) for product in world.catalog.products},
            "kind_names": {kind.id: kind.name["en"] for kind in world.catalog.kinds.values()},
            "visits": self.visits,
            "satisfaction": self.satisfaction,
            "chats": self.chats,
        }
