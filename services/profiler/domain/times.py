"""Epoch milliseconds and what people write."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(at: int) -> datetime:
    """The moment `at`, in epoch milliseconds."""
    return datetime.fromtimestamp(at / 1000, UTC)
