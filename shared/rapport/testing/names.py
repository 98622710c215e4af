"""Names that no other test run uses, so that tests can share one broker and one Redis."""

from __future__ import annotations

import secrets


def random_name(prefix: str) -> str:
    """e.g. clicks-3f9a61c07b2e: good as a topic, a group, a tenant or an id."""
    return f"{prefix}-{secrets.token_hex(6)}"
