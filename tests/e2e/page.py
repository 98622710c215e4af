"""docs/contracts/asyncapi.yaml as somebody reads it who has nothing else of Rapport."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import yaml

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contracts" / "asyncapi.yaml"
Json = dict[str, Any]


class Page:
    """Where each event goes, under which key, with which headers, and what it may hold."""

    def __init__(self, path: Path = PAGE) -> None:
        self._document: Json = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        self._headers: dict[str, Json] = {}

    def address(self, channel: str) -> str:
        """The Kafka topic of a channel."""
        return str(self._document["channels"][channel]["address"])

    def address_of(self, event: str) -> str:
        """The Kafka topic that an event goes to."""
        (address,) = [each["address"] for each in self._document["channels"].values() if event in each["messages"]]
        return str(address)

    def key(self, event: str, payload: Mapping[str, Any]) -> bytes:
        """The first of the payload's fields that the message's Kafka binding names and the payload has."""
        described = self._message(event)["bindings"]["kafka"]["key"]["description"]
        named = [payload[field] for field in re.findall(r"[a-z]+_id", described) if field in payload]
        return str(named[0]).encode()

    def headers(self, event: str, **given: str) -> dict[str, str]:
        """Every header whose value the page fixes or that it requires; `given` ones take their place."""
        if event not in self._headers:
            self._headers[event] = self._header_schema(event)
        schema = self._headers[event]
        fixed = {name: field["const"] for name, field in schema["properties"].items() if "const" in field}
        own = {"ce_id": uuid.uuid4().hex, "ce_source": "/shop/web", "ce_time": datetime.now(UTC).isoformat()}
        headers = own | fixed | given
        jsonschema.Draft7Validator(schema).validate(headers)
        return headers

    def check(self, event: str, payload: Json) -> None:
        """Raises jsonschema's `ValidationError` when the page does not allow the payload."""
        schema = self._message(event)["payload"]["schema"]
        jsonschema.Draft7Validator({**schema, "components": self._document["components"]}).validate(payload)

    def _header_schema(self, event: str) -> Json:
        properties: Json = {}
        required: list[str] = []
        for part in self._message(event)["headers"]["allOf"]:
            found = self._resolved(part)
            properties |= found["properties"]
            required += found.get("required", [])
        return {"type": "object", "properties": properties, "required": required}

    def _message(self, event: str) -> Json:
        message: Json = self._document["components"]["messages"][event]
        return message

    def _resolved(self, node: Json) -> Json:
        if "$ref" not in node:
            return node
        found: Any = self._document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return dict(found)
