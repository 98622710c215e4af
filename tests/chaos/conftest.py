"""The same shop as in the tier before."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.page import Page
from tests.e2e.stack import Stack
from tests.e2e.stocking import stock


@pytest.fixture(scope="session")
def page() -> Page:
    return Page()


@pytest.fixture(scope="session")
def stocked(stack: Stack, page: Page) -> Stack:
    """The stack with catalogue and articles."""
    asyncio.run(stock(stack, page))
    return stack
