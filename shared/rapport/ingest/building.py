"""Rows to events: one row one event, or the lines of an order together."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from rapport.bus.messages import Outgoing
from rapport.events.base import Event
from rapport.events.behaviour import OrderCompleted, OrderRefunded, ProductFields
from rapport.events.codec import key_of, schema_violation
from rapport.events.topics import TOPICS
from rapport.ingest.mapping import Mapper
from rapport.ingest.rows import Row
from rapport.ops.errors import PermanentError

_LINE_FIELDS = frozenset(ProductFields.model_fields)
_LISTS = frozenset({"category", "tags"})
_LIST_SEPARATORS = (" > ", "|", "/")


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows that did not become an event, and why."""

    rows: tuple[Row, ...]
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Built:
    """An event, and the rows it was made of."""

    outgoing: Outgoing
    event: Event
    rows: int


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes events of one kind. With `group_by` (a field), following rows with the same value are one order."""

    kind: type[Event]
    mapper: Mapper
    tenant: str
    group_by: str | None = None

    def build(self, rows: Iterable[Row]) -> Iterator[Built | Refused]:
        """Every row ends in exactly one of the results."""
        for group in self._groups(rows):
            try:
                yield self._one(group)
            except PermanentError as error:
                yield Refused(tuple(row for row, _ in group), error.field or "", error.message)

    def _groups(self, rows: Iterable[Row]) -> Iterator[list[tuple[Row, dict[str, Any]]]]:
        def key(pair: tuple[Row, dict[str, Any]]) -> object:
            row, fields = pair
            value = fields.get(self.group_by) if self.group_by else None
            return row.number if value is None else str(value)

        for _, group in itertools.groupby(((row, self._fields(row)) for row in rows), key):
            yield list(group)

    def _fields(self, row: Row) -> dict[str, Any]:
        """Fields of a row; a row that cannot be mapped carries its problem along, to be refused with its group."""
        try:
            return {"__problem": row.problem} if row.problem else self.mapper.fields(row.values)
        except PermanentError as error:
            return {"__problem": str(error)}

    def _one(self, group: Sequence[tuple[Row, dict[str, Any]]]) -> Built:
        problem = next((fields["__problem"] for _, fields in group if "__problem" in fields), None)
        if problem:
            raise PermanentError(problem, field="row")
        every = [fields for _, fields in group]
        kind, fields = _order(every) if self.group_by else (self.kind, every[0])
        try:
            event = kind.model_validate(_listed(fields))
        except ValidationError as error:
            raise schema_violation(error) from error
        topic = next(topic for topic in TOPICS.values() if kind in topic.events)
        outgoing = Outgoing(topic.name, key_of(topic, event), event, _event_id(event, group[0][0]), self.tenant)
        return Built(outgoing, event, len(group))


def _order(lines: Sequence[Mapping[str, Any]]) -> tuple[type[Event], dict[str, Any]]:
    """An order of its lines. Lines with negative quantities are goods that came back: all of them make a refund."""
    quantities = [_number(line.get("quantity", 1), "quantity") for line in lines]
    refund = all(quantity < 0 for quantity in quantities)
    products = [
        {name: value for name, value in line.items() if name in _LINE_FIELDS}
        | {"quantity": _whole(abs(quantity) if refund else quantity)}
        for line, quantity in zip(lines, quantities, strict=True)
    ]
    order = {name: value for name, value in lines[0].items() if name not in _LINE_FIELDS or name == "currency"}
    order["products"] = products
    if "total" not in order:
        order["total"] = sum(
            (_number(line.get("price", 0), "price") * abs(q) for line, q in zip(lines, quantities, strict=True)),
            Decimal(),
        )
    return (OrderRefunded if refund else OrderCompleted), order


def _number(value: Any, field: str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise PermanentError(f"not a number: {value!r}", field=field) from error


def _whole(number: Decimal) -> int | str:
    return int(number) if number == number.to_integral_value() else str(number)


def _listed(fields: dict[str, Any]) -> dict[str, Any]:
    for name in _LISTS & fields.keys():
        value = fields[name]
        if isinstance(value, str) and name == "category":
            separator = next((mark for mark in _LIST_SEPARATORS if mark in value), None)
            if "title" in fields:  # a product's category is a path; an event's is a plain text
                fields[name] = [part.strip() for part in value.split(separator)] if separator else [value]
        elif isinstance(value, str):
            fields[name] = [part.strip() for part in value.split(",")]
    return fields


def _event_id(event: Event, first: Row) -> str:
    """The same row of the same file gives the same id, so that importing twice counts once."""
    content = json.dumps([event.event_name, first.number, event.model_dump(mode="json")], sort_keys=True)
    return f"import-{hashlib.blake2b(content.encode(), digest_size=16).hexdigest()}"
