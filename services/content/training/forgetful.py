"""Training assigns nobody."""

from __future__ import annotations

from collections.abc import Mapping


class NoArms:
    """`Arms` that keep nothing."""

    async def keep(self, tenant: str, arms: Mapping[tuple[str, str], str]) -> list[str]:  # noqa: ARG002 - the port's
        """What is asked for holds."""
        return list(arms.values())
