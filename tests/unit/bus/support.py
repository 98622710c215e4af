"""Records and handlers for tests of the bus without a broker."""

from __future__ import annotations

from rapport.bus.messages import Outgoing
from rapport.bus.records import Record, sending_of
from rapport.events.behaviour import ProductViewed
from rapport.ops.settings import KafkaSettings, Settings

SETTINGS = Settings(kafka=KafkaSettings(retry_for_s=0.5))


def viewed(number: int) -> Outgoing:
    event = ProductViewed(customer_id=f"c{number % 3}", product_id=f"p{number}")
    return Outgoing("clickstream.v1", event.subject, event, f"e{number}", "default")


def record(number: int, more: dict[str, bytes] | None = None, *, offset: int | None = None) -> Record:
    """Event `number` as it lies on the broker; `more` are further headers."""
    sending = sending_of(viewed(number), "test", SETTINGS.kafka)
    headers = [*sending.headers, *(more or {}).items()]
    return Record(sending.topic, 0, number if offset is None else offset, sending.key, sending.value, headers, 1_000)
