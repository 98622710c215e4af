"""What to try once the stack is up: three lines to copy."""

from __future__ import annotations

from deploy.local.processes import PRIVATE_KEY
from deploy.local.record import Record
from services.gateway.settings import GatewaySection


def what_to_try(record: Record, keys: GatewaySection) -> list[str]:
    """Lines for a person to read; empty if the gateway is not part of the stack. Keys of one's own stay unsaid."""
    gateway = record.address("gateway")
    if gateway is None:
        return []
    private = "YOUR-PRIVATE-KEY" if keys.private_keys.get_secret_value() else PRIVATE_KEY
    key = f"-H 'Authorization: Bearer {private}'"
    question = """-H 'Content-Type: application/json' -d '{"text": "How do I return an order?"}'"""
    return [
        "",
        "Try next:",
        f"  open {gateway}/#key={private}",
        f"  curl -s {key} '{gateway}/v1/recommendations?limit=3'",
        f"  curl -sN {key} {question} {gateway}/v1/chat",
    ]
