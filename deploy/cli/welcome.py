"""What to try once the stack is up: three lines to copy."""

from __future__ import annotations

from deploy.local.processes import PRIVATE_KEY
from deploy.local.record import Record


def what_to_try(record: Record) -> list[str]:
    """Lines for a person to read; empty if the gateway is not part of the stack."""
    gateway = record.address("gateway")
    if gateway is None:
        return []
    key = f"-H 'Authorization: Bearer {PRIVATE_KEY}'"
    question = """-H 'Content-Type: application/json' -d '{"text": "How do I return an order?"}'"""
    return [
        "",
        "Try next:",
        f"  open {gateway}/#key={PRIVATE_KEY}",
        f"  curl -s {key} '{gateway}/v1/recommendations?limit=3'",
        f"  curl -sN {key} {question} {gateway}/v1/chat",
    ]
