"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], object], within_s: float = 30.0) -> None:
    """Returns once `true()` holds; fails after `within_s` seconds."""
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110 - not everything that changes can tell
            await asyncio.sleep(0.005)
