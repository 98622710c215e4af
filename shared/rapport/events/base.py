"""The ground all events stand on: field types, and what every payload carries."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


def _within_id_limit(value: str) -> str:
    if len(value.encode()) > 256:
        raise ValueError("an id is at most 256 bytes of UTF-8")
    return value


def _read_time(value: Any) -> Any:
    """RFC 3339 text or epoch milliseconds. Pydantic alone would guess between seconds and milliseconds."""
    if isinstance(value, str) and value.lstrip("-").isdecimal():
        value = int(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return value
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError("epoch milliseconds out of range") from error


def _to_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True), AfterValidator(_within_id_limit)]
"""Opaque, at most 256 bytes of UTF-8."""

Time = Annotated[datetime, BeforeValidator(_read_time), AfterValidator(_to_utc)]
"""RFC 3339 or epoch milliseconds on input, UTC inside. A time without a zone is UTC."""

Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4)]
"""Decimal money amount; its currency stands beside it."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""

Probability = Annotated[float, Field(ge=0, le=1)]


class Payload(BaseModel):
    """A part of an event. Fields that we do not know are kept, so that additive changes pass through."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True, ser_json_inf_nan="null")


class Event(Payload):
    """A payload of its own: what one Kafka message or HTTP body carries."""

    event_name: ClassVar[str]
    """Snake case, unique over all topics; the CloudEvents type is `rapport.<event_name>.v<major>`."""
    major: ClassVar[int] = 1

    occurred_at: Time | None = None
    """When it happened. Left out: the envelope's time, else the broker's."""

    @classmethod
    def ce_type(cls) -> str:
        return f"rapport.{cls.event_name}.v{cls.major}"

    def to_json(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()
