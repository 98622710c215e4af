"""What one partition has another do: links and handed-over profiles, through profiler.inbox.v1.

They are published in the transaction that changes the state which they come from, and change the state at the other end
in the transaction that commits their offset: each takes effect once, whoever is killed when.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rapport.bus.messages import Message, Outgoing
from rapport.events.profiler_inbox import IdentityLinked, ProfileAbsorbed
from services.profiler.domain.customer import Customer
from services.profiler.domain.identity import hand_over, has_something
from services.profiler.domain.observation import Observation
from services.profiler.ports import CustomerStates

INBOX = "profiler.inbox.v1"


@dataclass(frozen=True, slots=True)
class Errand:
    """One message to the inbox."""

    event: IdentityLinked | ProfileAbsorbed


def link_from(customer_id: str, seen: Observation) -> Errand:
    """To the anonymous id that `customer_id` was seen with: who you are."""
    when = datetime.fromtimestamp(seen.at / 1000, UTC)
    return Errand(IdentityLinked(customer_id=seen.anonymous_id or "", same_as=customer_id, occurred_at=when))


def onward(customer: Customer, event: ProfileAbsorbed) -> Errand | None:
    """Where what has arrived here is to go on to; None when it stays: this is the one, or it has been there already."""
    following = customer.merged_into
    if not following or following in event.via:
        return None
    via = (*event.via, event.customer_id)
    return Errand(event.model_copy(update={"customer_id": following, "via": via}))


def leave(key_id: str, customer: Customer, states: CustomerStates) -> tuple[Customer, Errand | None]:
    """What stays of a customer who is somebody else by now, and what goes there."""
    if not customer.merged_into:
        return customer, None
    going, staying = hand_over(customer)
    if not has_something(customer):
        return staying, None
    event = ProfileAbsorbed(
        customer_id=customer.merged_into,
        absorbed_id=key_id,
        state=base64.b64encode(states.pack(going)).decode(),
        via=(key_id,),
        occurred_at=datetime.fromtimestamp(customer.last_seen_at / 1000, UTC),
    )
    return staying, Errand(event)


def outgoing(errands: Sequence[Errand], last: Message) -> list[Outgoing]:
    """Named by the input and their place among its errands, so that a repeat is recognised."""
    position = last.position
    return [
        Outgoing(
            topic=INBOX,
            key=errand.event.customer_id,
            event=errand.event,
            event_id=f"errand/{position.topic}/{position.partition}/{position.offset}/{number}",
            tenant=last.envelope.tenant,
            traceparent=last.envelope.traceparent,
        )
        for number, errand in enumerate(errands)
    ]
