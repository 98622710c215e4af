"""The AsyncAPI 3 document, generated from the topic registry and the event models."""

from __future__ import annotations

from typing import Any

from rapport.events.base import Event
from rapport.events.samples import SAMPLES
from rapport.events.schemas import json_schema
from rapport.events.topics import TOPICS, Topic

_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "minLength": 1, "maxLength": 256, "description": "Idempotency key."},
        "ce_source": {"type": "string", "description": "Who sends, as a URI reference, e.g. /shop/web."},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_tenant": {"type": "string", "description": "Left out: the default tenant."},
        "content-type": {"const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C trace context."},
    },
}


def document(version: str, prefix: str = "rapport.") -> dict[str, Any]:
    """The AsyncAPI 3.0 document of every topic, from the point of view of one who talks to Rapport."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rapport events",
            "version": version,
            "description": "CloudEvents 1.0 over Kafka, binary content mode: attributes in `ce_` headers, the payload "
            "as JSON in the value. Structured mode (content-type application/cloudevents+json) is accepted too. "
            "The message key must be what the message's Kafka binding names, or the message is set aside.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "What `./rapport up` starts."}
        },
        "channels": {topic.name: _channel(topic, prefix) for topic in TOPICS.values()},
        "operations": {name: operation for topic in TOPICS.values() for name, operation in _operations(topic)},
        "components": {
            "messages": {
                event.event_name: _message(event, topic) for topic in TOPICS.values() for event in topic.events
            },
            "schemas": {"cloudEventHeaders": _HEADERS},
        },
    }


def _channel(topic: Topic, prefix: str) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": topic.cleanup.split(",")}
    if "delete" in topic.cleanup:
        configuration["retention.ms"] = topic.retention_ms
    writers, readers = ", ".join(topic.written_by), ", ".join(topic.read_by)
    return {
        "address": prefix + topic.name,
        "title": topic.name,
        "summary": topic.summary,
        "description": f"Key: {topic.key}. Written by {writers}; read by {readers}.",
        "messages": {event.event_name: {"$ref": f"#/components/messages/{event.event_name}"} for event in topic.events},
        "bindings": {"kafka": {"topicConfiguration": configuration, "bindingVersion": "0.5.0"}},
    }


def _operations(topic: Topic) -> list[tuple[str, dict[str, Any]]]:
    channel = {"$ref": f"#/channels/{topic.name}"}
    label = topic.name.removesuffix(".v1").replace(".", "_")
    ours = {"profiler", "recommender", "chatbot", "content", "gateway"}
    found: list[tuple[str, dict[str, Any]]] = []
    if ours & set(topic.read_by):
        found.append((f"receive_{label}", {"action": "receive", "channel": channel, "summary": "Rapport reads this."}))
    if ours & set(topic.written_by):
        found.append((f"send_{label}", {"action": "send", "channel": channel, "summary": "Rapport writes this."}))
    return found


def _message(event: type[Event], topic: Topic) -> dict[str, Any]:
    schema = {name: value for name, value in json_schema(event).items() if name not in {"$schema", "$id"}}
    return {
        "name": event.ce_type(),
        "title": event.event_name,
        "summary": schema.get("description", "").split("\n")[0],
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/cloudEventHeaders"},
                {"type": "object", "properties": {"ce_type": {"const": event.ce_type()}}},
            ]
        },
        "payload": {"schemaFormat": "application/schema+json;version=draft-07", "schema": _embedded(schema, event)},
        "bindings": {"kafka": {"key": {"type": "string", "description": _key(topic)}, "bindingVersion": "0.5.0"}},
        "examples": [{"payload": SAMPLES[event.event_name]}],
    }


def _key(topic: Topic) -> str:
    if topic.key == "customer":
        return "The payload's customer_id, or its anonymous_id where there is no customer_id."
    return f"The payload's {topic.key}."


def _embedded(schema: dict[str, Any], event: type[Event]) -> dict[str, Any]:
    """The schema with its `$defs` reachable from the document's root, where AsyncAPI resolves references."""
    root = f"#/components/messages/{event.event_name}/payload/schema/$defs/"
    return _moved(schema, root)  # type: ignore[no-any-return]


def _moved(node: Any, root: str) -> Any:
    if isinstance(node, dict):
        return {
            name: value.replace("#/$defs/", root) if name == "$ref" and isinstance(value, str) else _moved(value, root)
            for name, value in node.items()
        }
    if isinstance(node, list):
        return [_moved(part, root) for part in node]
    return node
