"""What every served call gets: a span, a deadline, figures, and its errors turned into gRPC statuses."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from opentelemetry.trace import SpanKind

from rapport.ops.errors import DeadlineError, InvalidRequest, RapportError, outward
from rapport.ops.metrics import counter, histogram
from rapport.ops.tracing import span, traceparent_of
from rapport.serving.deadline import deadline_in

log = structlog.stdlib.get_logger(__name__)

# Seconds for calls whose caller set no deadline (grpcurl, a hasty script): none may hold a slot for ever.
UNBOUNDED_CALL_S = 120.0
# Bytes. The message travels as a header, percent-encoded: three bytes for each byte that is not ASCII. Above 8 KiB of
# headers gRPC drops the status at random, above 16 KiB always: so the message gets less than half of the smaller bound.
_MESSAGE_BYTES = 1200

Context = grpc.aio.ServicerContext[Any, Any]
# The stubs know handlers of synchronous servers only.
Handler = Any


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Guards the calls of the named services; others (health, reflection) pass untouched."""

    def __init__(self, server: str, services: Collection[str]) -> None:
        self._server, self._services = server, frozenset(services)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method.removeprefix("/")
        if handler is None or handler.request_streaming or method.partition("/")[0] not in self._services:
            return handler
        read, write = _reader(handler.request_deserializer), handler.response_serializer
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(self._stream(method, handler), read, write)
        return grpc.unary_unary_rpc_method_handler(self._unary(method, handler), read, write)

    def _unary(self, method: str, handler: Handler) -> Any:
        async def call(request: Any, context: Context) -> Any:
            async with self._guard(method, context):
                _check(request)
                return await handler.unary_unary(request, context)

        return call

    def _stream(self, method: str, handler: Handler) -> Any:
        async def call(request: Any, context: Context) -> None:
            # Written rather than yielded: a generator that gRPC leaves half-way is closed by whoever collects garbage,
            # later and in another context; here it is closed at once when the caller goes away.
            async with self._guard(method, context):
                _check(request)
                async with contextlib.aclosing(handler.unary_stream(request, context)) as answers:
                    async for answer in answers:
                        await context.write(answer)

        return call

    @contextlib.asynccontextmanager
    async def _guard(self, method: str, context: Context) -> AsyncIterator[None]:
        left = context.time_remaining()
        seconds = UNBOUNDED_CALL_S if left is None else left
        began, code = time.perf_counter(), grpc.StatusCode.OK
        try:
            with span(method, traceparent_of(_pairs(context)), SpanKind.SERVER), deadline_in(seconds):
                async with asyncio.timeout(seconds):
                    yield
        except asyncio.CancelledError:
            code = grpc.StatusCode.CANCELLED
            raise
        except grpc.aio.AbortError:
            code = context.code()
            raise
        except Exception as error:  # noqa: BLE001 - every error must reach the caller as a status
            told = DeadlineError(f"not done within {seconds:.1f} s") if isinstance(error, TimeoutError) else error
            code = outward(told).grpc
            await context.abort(code, self._message(method, told))
        finally:
            labels = {"method": method, "code": code.name}
            counter("grpc_calls", "gRPC calls served", ("method", "code")).labels(**labels).inc()
            seconds_taken = histogram("grpc_call_seconds", "From arrival to the last byte handed over", ("method",))
            seconds_taken.labels(method=method).observe(time.perf_counter() - began)

    def _message(self, method: str, error: Exception) -> str:
        if isinstance(error, RapportError):
            return str(error).encode()[:_MESSAGE_BYTES].decode(errors="ignore")
        log.exception("call failed", method=method)
        # Foreign messages may carry customers' data; the log keeps them, the wire does not.
        return f"internal error ({type(error).__name__}); see the log of {self._server}"


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Stands for a message that could not be read."""

    reason: str


def _reader(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """As `read`, but what it cannot read becomes an answer of ours: gRPC's own would be UNKNOWN, without a reason."""

    def reader(message: bytes) -> Any:
        try:
            return read(message)
        except Exception as error:  # noqa: BLE001 - protobuf's errors share no base with those of its C parser
            return _Unreadable(str(error))

    return reader


def _check(request: Any) -> None:
    if isinstance(request, _Unreadable):
        raise InvalidRequest(f"not a message of this call: {request.reason}", fix="send protobuf, and texts in UTF-8")


def _pairs(context: Context) -> list[tuple[str, str | bytes]]:
    return [(key, value) for key, value in context.invocation_metadata() or ()]
