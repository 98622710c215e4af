"""The edge as its callers see it; a file whose services answer otherwise has a `services` of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.contract.gateway.fakes import Kafka, Services, edge


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
async def http(kafka: Kafka) -> AsyncIterator[httpx.AsyncClient]:
    async with edge(kafka, Services(), max_body_bytes=2048) as client:
        yield client
