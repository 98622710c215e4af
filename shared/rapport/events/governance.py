"""Alerts, model promotion, privacy, and dead letters."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from rapport.events.base import Event, Id, Time
from rapport.ops.errors import DeadLetterKind


class AlertRaised(Event):
    """Stock, sentiment, anomaly, or the outcome of a rule."""

    event_name: ClassVar[str] = "alert_raised"
    alert_id: Id
    subject: Id
    kind: str
    severity: Literal["info", "warning", "critical"] = "warning"
    sentence: str
    data: dict[str, Any] = {}


class ModelPromoted(Event):
    """This version of the model answers from now on."""

    event_name: ClassVar[str] = "model_promoted"
    model: Id
    version: Id
    location: str
    """Folder or Hugging Face id."""
    metrics: dict[str, float] = {}
    earlier: list[str] = []
    """Versions that were promoted before it, oldest first: a rollback returns to the last of them."""


class PrivacyRequested(Event):
    event_name: ClassVar[str] = "privacy_requested"
    request_id: Id
    customer_id: Id
    action: Literal["erase", "export"]


class PrivacyDone(Event):
    """Proof of what one service did."""

    event_name: ClassVar[str] = "privacy_done"
    request_id: Id
    customer_id: Id
    service: str
    action: Literal["erase", "export"]
    records: dict[str, int] = {}
    location: str | None = None


class DeadLetter(Event):
    """The failure beside a message set aside. It travels in headers; the value is the original bytes, untouched."""

    event_name: ClassVar[str] = "dead_letter"
    kind: DeadLetterKind
    message: str
    field: str | None = None
    """What is wrong with the message, where that is known: a payload field, a header, "key" or "value"."""
    group: str
    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    attempts: Annotated[int, Field(ge=1)]
    failed_at: Time
