"""One log: structlog and the standard library alike, each line with its service and trace."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from rapport.ops.logging import configure_logging
from rapport.ops.settings import OpsSettings
from rapport.ops.tracing import span

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("profiler", OpsSettings(log_format="json"), stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_carries_service_trace_and_fields(log: io.StringIO) -> None:
    with span("handle", PARENT):
        structlog.stdlib.get_logger("services.profiler.stream").info("batch done", messages=3, who=("a", {1}))
    (line,) = _lines(log)
    assert line["service"] == "profiler"
    assert line["trace_id"] == PARENT.split("-")[1]
    assert (line["event"], line["level"], line["messages"]) == ("batch done", "info", 3)
    assert line["logger"] == "services.profiler.stream"


@pytest.mark.parametrize(
    "library", ["aiokafka.consumer", "faust.app", "mode.services", "grpc._cython", "uvicorn.error"]
)
def test_libraries_are_heard_from_warnings_up_only(log: io.StringIO, library: str) -> None:
    logging.getLogger(library).info("heartbeat")
    logging.getLogger(library).warning("lost %d partitions", 2)
    (line,) = _lines(log)
    assert (line["event"], line["logger"], line["service"]) == ("lost 2 partitions", library, "profiler")
    assert "trace_id" not in line


def test_an_exception_is_one_line_with_its_traceback(log: io.StringIO) -> None:
    try:
        int("x")
    except ValueError:
        structlog.stdlib.get_logger("rapport.bus").exception("failed")
    (line,) = _lines(log)
    assert "ValueError" in line["exception"]


def test_the_level_is_a_setting() -> None:
    stream = io.StringIO()
    configure_logging("x", OpsSettings(log_format="json", log_level="ERROR"), stream)
    structlog.stdlib.get_logger("rapport.bus").warning("quiet")
    assert stream.getvalue() == ""


def test_a_console_line_is_for_people() -> None:
    stream = io.StringIO()
    configure_logging("gateway", OpsSettings(log_format="console"), stream)
    structlog.stdlib.get_logger("rapport.ops").info("ready", seconds=1.5)
    assert "ready" in stream.getvalue()
    assert "seconds=1.5" in stream.getvalue()
