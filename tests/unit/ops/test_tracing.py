"""A trace goes on through HTTP, Kafka and gRPC, with and without a collector."""

from __future__ import annotations

import pytest
from opentelemetry import trace

from rapport.ops import tracing

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    "headers",
    [
        {"Traceparent": PARENT},
        [("ce_id", b"1"), ("traceparent", PARENT.encode())],
        (("traceparent", PARENT),),
    ],
)
def test_the_traceparent_is_found_in_every_kind_of_header(headers: object) -> None:
    assert tracing.traceparent_of(headers) == PARENT  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "headers", [None, {}, {"traceparent": "junk"}, [("traceparent", b"\xff\xfe")], {"traceparent": "00-0-0-01"}]
)
def test_a_missing_or_broken_traceparent_is_none(headers: object) -> None:
    assert tracing.traceparent_of(headers) is None  # type: ignore[arg-type]


def test_a_child_stays_in_the_trace_with_a_span_of_its_own() -> None:
    child = tracing.child_traceparent(PARENT)
    version, trace_id, span_id, flags = child.split("-")
    assert (version, trace_id, flags) == ("00", PARENT.split("-")[1], "01")
    assert span_id != PARENT.split("-")[2]
    assert tracing.traceparent_of({"traceparent": child}) == child


def test_without_a_parent_a_new_trace_begins() -> None:
    first, second = tracing.child_traceparent(), tracing.child_traceparent("junk")
    assert first.split("-")[1] != second.split("-")[1]


def test_inside_a_span_what_is_passed_on_belongs_to_the_trace() -> None:
    assert tracing.current_traceparent() is None
    with tracing.span("handle", PARENT):
        assert tracing.current_trace_id() == PARENT.split("-")[1]
        outer = tracing.current_traceparent()
        with tracing.span("embed"):
            inner = tracing.current_traceparent()
    assert outer is not None
    assert inner is not None
    assert len({PARENT, outer, inner}) == 3
    assert {line.split("-")[1] for line in (outer, inner)} == {PARENT.split("-")[1]}
    assert tracing.current_traceparent() is None


def test_an_error_inside_a_span_comes_out() -> None:
    with pytest.raises(KeyError), tracing.span("handle"):
        raise KeyError("x")
    assert not trace.get_current_span().get_span_context().is_valid
