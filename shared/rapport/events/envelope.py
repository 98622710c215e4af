"""The CloudEvents attributes that Rapport reads, apart from the payload."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Envelope:
    """CloudEvents 1.0 context attributes. `id` is the idempotency key."""

    id: str
    type: str
    source: str
    time: datetime
    tenant: str
    traceparent: str | None = None
