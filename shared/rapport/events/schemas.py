"""JSON Schemas of the events: versioned, with `$id`, generated from the models."""

from __future__ import annotations

from typing import Any

from rapport.events.base import Event

SCHEMA_ROOT = "urn:rapport:event"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_id(event: type[Event]) -> str:
    """The schema's `$id`: a name, not an address."""
    return f"{SCHEMA_ROOT}:{event.event_name}:v{event.major}"


def json_schema(event: type[Event]) -> dict[str, Any]:
    """What a producer must send: the input (validation) schema, fields that we do not know allowed."""
    schema = event.model_json_schema(mode="validation")
    summary = (event.__doc__ or "").strip().splitlines()
    described = {"description": summary[0]} if summary and "description" not in schema else {}
    return {"$schema": DIALECT, "$id": schema_id(event), **described, **schema}
