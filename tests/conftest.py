"""What every tier above contract shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.servers import EmbeddedServers


@pytest.fixture(scope="session")
def servers() -> Iterator[EmbeddedServers]:
    """Real Kafka and Redis, started when the first test asks for them: `.bootstrap_servers`, `.redis_url`.

    Shared by the whole run: take topics, groups and keys with random names. A test that stops a server starts it again.
    """
    with EmbeddedServers() as running:
        yield running
