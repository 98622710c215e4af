"""What every tier above contract shares."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from deploy.local.servers import EmbeddedServers
from tests.e2e.stack import Stack, whole_stack

_STACK = pytest.StashKey[Stack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stack", help="State folder of a running stack to use, e.g. .rapport; else one is started.")
    parser.addoption("--chaos", choices=("short", "full"), default="short", help="full: every process is killed.")


@pytest.fixture(scope="session")
def servers() -> Iterator[EmbeddedServers]:
    """Real Kafka and Redis, started when the first test asks for them: `.bootstrap_servers`, `.redis_url`.

    Shared by the whole run: take topics, groups and keys with random names. A test that stops a server starts it again.
    """
    with EmbeddedServers() as running:
        yield running


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Iterator[Stack]:
    """The whole of Rapport, started through the launcher when the first test asks for it.

    Shared by the tiers e2e and chaos: take customers and products of your own. A test that kills a process waits until
    it is back.
    """
    folder = pytestconfig.getoption("--stack")
    with nullcontext(Stack(Path(folder).resolve())) if folder else whole_stack() as running:
        pytestconfig.stash[_STACK] = running
        yield running
        del pytestconfig.stash[_STACK]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test of the whole stack shows the end of every process's log."""
    report = yield
    stack = item.config.stash.get(_STACK, None)
    if report.failed and stack and "stack" in getattr(item, "fixturenames", ()):
        report.sections.append(("last log lines", stack.last_lines()))
    return report
