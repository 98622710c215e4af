"""Which column becomes which field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rapport.ops.errors import InvalidRequest

# What people write first, and the field they mean.
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "customer": "customer_id",
        "user": "customer_id",
        "visitor": "anonymous_id",
        "product": "product_id",
        "item": "product_id",
        "order": "order_id",
        "at": "occurred_at",
        "time": "occurred_at",
        "timestamp": "occurred_at",
        "session": "session_id",
        "name": "name",
        "article": "article_id",
        "review": "review_body",
    }
)
TIMES = frozenset({"occurred_at", "placed_at", "updated_at", "expected_at", "starts_at", "ends_at"})


@dataclass(frozen=True, slots=True)
class Mapper:
    """Fills an event's fields from a row's columns.

    `columns`: field → column; a dot nests ("title.en", "context.device"). `constants`: field → value. A field without
    a mapping is taken from a column of its own name.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    time_format: str | None = None
    zone: ZoneInfo | None = None

    def fields(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of one row, nested. Raises `InvalidRequest` naming a field whose time does not fit the format."""
        taken = set(self.columns.values())
        found = {name: value for name, value in values.items() if name not in taken}
        found |= {field: values[column] for field, column in self.columns.items() if column in values}
        found |= self.constants
        for field in TIMES & found.keys():
            found[field] = self._time(field, found[field])
        return nested(found)

    def _time(self, field: str, value: Any) -> Any:
        if isinstance(value, str) and self.time_format:
            try:
                value = datetime.strptime(value, self.time_format)  # noqa: DTZ007  # the zone follows below
            except ValueError as error:
                raise InvalidRequest(str(error), field=field) from error
        elif isinstance(value, str) and self.zone:
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return value
        if isinstance(value, datetime) and value.tzinfo is None and self.zone:
            return value.replace(tzinfo=self.zone)
        return value


def mapper(
    pairs: Sequence[str], constants: Sequence[str], *, time_format: str | None = None, zone: str | None = None
) -> Mapper:
    """A mapper from "field=column" and "field=value" texts. Raises `InvalidRequest` naming the malformed one."""
    try:
        where = ZoneInfo(zone) if zone else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidRequest(f"no such time zone: {zone}", field="--timezone", fix="e.g. Europe/London") from error
    return Mapper(_pairs(pairs, "--map"), _pairs(constants, "--set"), time_format, where)


def check_columns(mapped: Mapper, present: Mapping[str, Any]) -> None:
    """Raises `InvalidRequest` when the mapping names a column that the first row does not have, listing those it has.

    Only of use for files whose rows all have the same columns.
    """
    missing = [column for column in mapped.columns.values() if column not in present]
    if missing:
        raise InvalidRequest(f"no column {', '.join(missing)}", field="--map", fix=f"columns: {', '.join(present)}")


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """{"a.b": 1} as {"a": {"b": 1}}."""
    result: dict[str, Any] = {}
    for name, value in flat.items():
        *path, leaf = name.split(".")
        place = result
        for step in path:
            inner = place.setdefault(step, {})
            place = inner if isinstance(inner, dict) else place.setdefault(f"{step}.", {})
        place[leaf] = value
    return result


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    found = {}
    for text in texts:
        field, separator, value = text.partition("=")
        if not separator or not field or not value:
            raise InvalidRequest(f"{text!r} is not field=column", field=option, fix="e.g. customer_id=CustomerID")
        found[ALIASES.get(field, field)] = value
    return found
