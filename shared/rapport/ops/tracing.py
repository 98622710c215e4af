"""W3C trace context through HTTP, Kafka and gRPC, and OpenTelemetry spans where a collector is named.

Trace ids are carried, and put on log lines, whether or not spans are exported: `span` works the same in both cases.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from rapport.ops.parts import Health

TRACEPARENT = "traceparent"
# A flush at the end of a process must not hold it up when the collector is gone.
_FLUSH_MS = 2_000


def traceparent_of(headers: Mapping[str, str] | Iterable[tuple[str, str | bytes]] | None) -> str | None:
    """The traceparent among HTTP headers, Kafka headers or gRPC metadata; None when absent or malformed."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    for key, value in pairs:
        if key.lower() == TRACEPARENT:
            text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
            return text if _parse(text).is_valid else None
    return None


def child_traceparent(parent: str | None = None) -> str:
    """A traceparent one step below `parent`; below the current span, or of a new trace, when there is none."""
    return _format(_child(_parse(parent) if parent else trace.get_current_span().get_span_context()))


def current_traceparent() -> str | None:
    """What to send along with a call or message made now; None outside every span."""
    context = trace.get_current_span().get_span_context()
    return _format(context) if context.is_valid else None


def current_trace_id() -> str | None:
    """32 hexadecimal digits; None outside every span."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


@contextlib.contextmanager
def span(
    name: str,
    parent: str | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Iterator[trace.Span]:
    """Work done under `parent` (a traceparent), or under the current span when that is None.

    Inside, log lines carry the trace id and `current_traceparent()` is what to pass on. An exception marks the span.
    """
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        with trace.use_span(NonRecordingSpan(_parse_child(parent))) as unexported:
            yield unexported
        return
    above = trace.set_span_in_context(NonRecordingSpan(_parse(parent))) if parent else None
    tracer = trace.get_tracer("rapport")
    with tracer.start_as_current_span(name, context=above, kind=kind, attributes=attributes) as exported:
        yield exported


def record(name: str, began: float, ended: float, attributes: Mapping[str, AttributeValue] | None = None) -> None:
    """Work under the current span that is over already; times on `time.monotonic`'s clock. Nothing unless spans are
    exported.
    """
    if not trace.get_current_span().is_recording():
        return
    offset = time.time_ns() - time.monotonic_ns()
    tracer = trace.get_tracer("rapport")
    past = tracer.start_span(name, attributes=attributes, start_time=offset + _nanoseconds(began))
    past.end(offset + _nanoseconds(ended))


class Tracing:
    """Sends spans to the collector, as a part. Without an endpoint it does nothing."""

    name = "tracing"

    def __init__(self, service: str, endpoint: str | None) -> None:
        self._service, self._endpoint = service, endpoint
        self._provider: TracerProvider | None = None

    async def start(self) -> None:
        if self._endpoint is None or self._provider is not None:
            return
        # Brings in the exporter's own gRPC stack: only for those who export.
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        insecure = not self._endpoint.startswith("https://")
        self._provider = TracerProvider(resource=Resource.create({"service.name": self._service}))
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=self._endpoint, insecure=insecure))
        )
        trace.set_tracer_provider(self._provider)

    async def stop(self) -> None:
        provider, self._provider = self._provider, None
        if provider is not None:
            await asyncio.to_thread(provider.force_flush, _FLUSH_MS)
            await asyncio.to_thread(provider.shutdown)

    def health(self) -> Health:
        return Health(detail=self._endpoint or "off")


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _parse(traceparent: str) -> SpanContext:
    context = TraceContextTextMapPropagator().extract({TRACEPARENT: traceparent})
    return trace.get_current_span(context).get_span_context()


def _parse_child(parent: str | None) -> SpanContext:
    return _parse(child_traceparent(parent))


def _child(parent: SpanContext) -> SpanContext:
    ids = RandomIdGenerator()
    return SpanContext(
        trace_id=parent.trace_id if parent.is_valid else ids.generate_trace_id(),
        span_id=ids.generate_span_id(),
        is_remote=False,
        # A trace that begins here is marked sampled: a process further on may export though this one does not.
        trace_flags=parent.trace_flags if parent.is_valid else TraceFlags(TraceFlags.SAMPLED),
        trace_state=parent.trace_state,
    )


def _format(context: SpanContext) -> str:
    trace_id, span_id = trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
    return f"00-{trace_id}-{span_id}-{context.trace_flags:02x}"
