"""The tests' own shop, and the two ways into it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.e2e.api import Api, api
from tests.e2e.page import Page
from tests.e2e.shopfront import Publisher, publisher
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


@pytest.fixture
async def shop(stocked: Stack, page: Page) -> AsyncIterator[Publisher]:
    async with publisher(page, stocked.bootstrap_servers) as one:
        yield one


@pytest.fixture
async def gateway(stocked: Stack) -> AsyncIterator[Api]:
    async with api(stocked) as one:
        yield one
