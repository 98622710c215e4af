"""What was seen of the answers given: training data, and who saw which variation of an experiment."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.messages import Message, Outgoing
from rapport.events.behaviour import ItemsShown
from rapport.events.experiments import ExperimentViewed
from rapport.events.recommendations import ImpressionRecorded
from services.recommender.handlers.event_time import event_ms
from services.recommender.ports import ServedLog

IMPRESSIONS, EXPOSURES = "impressions.v1", "exposures.v1"


async def impressions(tenant: str, messages: Sequence[Message], served: ServedLog) -> list[Outgoing]:
    """One `impression_recorded` for each `items_shown` of an answer that is known, joined by recommendation_id, and an
    `experiment_viewed` for those that are part of an experiment. Their ids follow from the message's."""
    shown = [(message, message.event) for message in messages if isinstance(message.event, ItemsShown)]
    if not shown:
        return []
    known = await served.find(tenant, list(dict.fromkeys(event.recommendation_id for _, event in shown)))
    outgoing: list[Outgoing] = []
    for message, event in shown:
        answer = known.get(event.recommendation_id)
        seen = answer.seen(event.product_ids, event_ms(message)) if answer else None
        if seen is not None:
            # Whoever looked: an answer for nobody, or from before a visitor was recognised, was seen by this customer.
            seen = seen.model_copy(update={"customer_id": message.key})
            outgoing += _published(tenant, message, seen)
    return outgoing


def _published(tenant: str, cause: Message, seen: ImpressionRecorded) -> list[Outgoing]:
    source, traceparent = cause.envelope.id, cause.envelope.traceparent
    outgoing = [Outgoing(IMPRESSIONS, cause.key, seen, f"{source}:impression", tenant, traceparent)]
    if seen.experiment_id:
        viewed = ExperimentViewed.model_validate(
            {"experiment_id": seen.experiment_id, "variation_id": seen.variation_id, "customer_id": cause.key}
        )
        outgoing.append(Outgoing(EXPOSURES, cause.key, viewed, f"{source}:exposure", tenant, traceparent))
    return outgoing
