"""A worker's call as a trace shows it: the caller's trace, and in it the time in the queue and on the device."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from rapport.ops.roster import Roster
from rapport.ops.settings import ModelSettings, Settings, WorkerSettings
from rapport.serving.client import ClassifierClient, EncoderClient, GeneratorClient, Turn, WorkerChannel
from rapport.serving.spans import COMPUTE, QUEUE
from rapport.serving.worker import worker_parts
from tests.unit.serving.waiting import until


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # Set for good it could never be replaced in this process.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return exporter


@pytest.fixture
async def channel(tmp_path: Path) -> AsyncIterator[WorkerChannel]:
    """To a worker that caches nothing."""
    settings = Settings(
        worker=WorkerSettings(backend="dummy", cached_rows=0), models=ModelSettings(cache=tmp_path, follow=False)
    )
    roster = Roster()
    worker = worker_parts(settings, embed=True, tasks=("sentiment",), generate=True)
    roster.add(worker)
    await roster.start()
    await until(lambda: all(part.health().ready for part in worker))
    channel = WorkerChannel(roster.addresses()["grpc"], 30.0)
    await channel.start()
    yield channel
    await channel.stop()
    await roster.stop()


def named(spans: Sequence[ReadableSpan], name: str) -> ReadableSpan:
    return next(span for span in spans if span.name == name)


def times(span: ReadableSpan) -> tuple[float, float]:
    """Seconds since some moment."""
    assert span.start_time is not None
    assert span.end_time is not None
    return span.start_time / 1e9, span.end_time / 1e9


def parent_of(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


@pytest.mark.parametrize(
    ("call", "sizes"),
    [
        ("Encoder/Embed", {"texts": 2, "input_tokens": 3}),
        ("Classifier/Classify", {"texts": 1, "input_tokens": 2}),
        ("Generator/Generate", {"input_tokens": 9, "output_tokens": 4}),
    ],
)
async def test_queue_and_compute_are_spans_of_the_call_in_the_caller_s_trace(
    call: str, sizes: dict[str, int], channel: WorkerChannel, exported: InMemorySpanExporter
) -> None:
    tracer = trace.get_tracer("test")
    with tracer.start_as_current_span("a shop's request") as above:
        if call.startswith("Encoder"):
            await EncoderClient(channel).embed(["red shirt", "blue"])
        elif call.startswith("Classifier"):
            await ClassifierClient(channel).classify("sentiment", ["love it"])
        else:
            said = [piece async for piece in GeneratorClient(channel).generate([Turn("user", "say it so")])]
            assert said
    await until(lambda: any(span.name.endswith(call) for span in exported.get_finished_spans()))
    spans = [
        span for span in exported.get_finished_spans() if span.context.trace_id == above.get_span_context().trace_id
    ]
    served = next(span for span in spans if span.name.endswith(call) and span.kind == trace.SpanKind.SERVER)
    queue, compute = named(spans, QUEUE), named(spans, COMPUTE)
    assert {parent_of(queue), parent_of(compute)} == {served.context.span_id}
    (began, ended), (waited, done) = times(served), times(queue)
    first, last = times(compute)
    assert began <= waited <= done
    assert done == pytest.approx(first, abs=0.001)
    assert first <= last <= ended
    assert compute.attributes is not None
    assert {name: compute.attributes[name] for name in sizes} == sizes
    assert float(str(compute.attributes["compute_s"])) >= 0
    assert "dummy" in str(compute.attributes["model"])
