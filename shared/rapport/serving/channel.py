"""Calling another process over gRPC: one channel a peer, with deadlines, retries and trace context on every call."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

import grpc
from opentelemetry.trace import SpanKind

from rapport.ops.errors import ConfigurationError, DeadlineError, UnavailableError, from_grpc
from rapport.ops.parts import Health
from rapport.ops.tracing import TRACEPARENT, current_traceparent, span
from rapport.serving.deadline import deadline, deadline_in, remaining
from rapport.serving.options import CHANNEL_OPTIONS

Request = TypeVar("Request")
Response = TypeVar("Response")
Stub = TypeVar("Stub")

# Seconds between tries, doubling, each drawn from [half, whole] so that many callers do not come back together.
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 0.05, 2.0

# Begins the address of a model server that is not ours.
_INFERENCE = "kserve://"


class PeerChannel:
    """A gRPC channel to `peer` at `address` (host:port), as a part. Cheap, shared by all callers in a process.

    Not ready only before `start` and after `stop`: a peer that is down makes calls fail with `UnavailableError`, and
    whoever depends on it says how it degrades.
    """

    def __init__(self, peer: str, address: str, timeout_s: float, *, wait_for_ready: bool = False) -> None:
        """`timeout_s` is the longest a call may take, retries included; less when the call being served has less
        left. With `wait_for_ready` calls wait for a connection instead of retrying refused ones.
        """
        self.name = f"channel:{peer}"
        self._peer, self._address, self._timeout_s, self._wait = peer, address, timeout_s, wait_for_ready
        self._channel: grpc.aio.Channel | None = None

    async def start(self) -> None:
        """Opens no connection yet: the first call does."""
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._address, options=CHANNEL_OPTIONS)

    async def stop(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def health(self) -> Health:
        return Health(ready=self._channel is not None, detail=self._address)

    def stub(self, stub: Callable[[grpc.aio.Channel], Stub]) -> Stub:
        """A generated stub on this channel: `channel.stub(ProfileServiceStub)`. Made anew at each call, as it is cheap
        and so follows the channel when that is reopened.
        """
        if self._channel is None:
            raise UnavailableError("the channel is not open", field=self._peer)
        return stub(self._channel)

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        timeout_s: float | None = None,
    ) -> Response:
        """One answer. Tries again while the peer is unavailable and time is left.

        Raises the error tree's branch for the peer's status; `DeadlineError` when the time runs out.
        """
        with span(f"call {self._peer}", kind=SpanKind.CLIENT), deadline_in(timeout_s or self._timeout_s):
            backoff = _FIRST_BACKOFF_S
            while True:
                try:
                    return await method(request, **self._options())
                except grpc.aio.AioRpcError as error:
                    backoff = await self._before_next(error, backoff)

    async def stream(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Request, Response],
        request: Request,
        *,
        timeout_s: float | None = None,
    ) -> AsyncGenerator[Response, None]:
        """The peer's answers as they come. Tries again only before the first. Closing the iterator cancels the call.

        Raises as `call` does; the deadline is for the whole stream.
        """
        ends, outer = time.monotonic() + (timeout_s or self._timeout_s), deadline()
        ends = ends if outer is None else min(ends, outer)
        backoff, begun = _FIRST_BACKOFF_S, False
        while True:
            # Entered and left between yields only: a generator's context is its consumer's.
            with span(f"call {self._peer}", kind=SpanKind.CLIENT), deadline_in(ends - time.monotonic()):
                running = method(request, **self._options())
            try:
                async for answer in running:
                    begun = True
                    yield answer
                return
            except grpc.aio.AioRpcError as error:
                if begun:
                    raise from_grpc(error, self._peer) from error
                with deadline_in(ends - time.monotonic()):
                    backoff = await self._before_next(error, backoff)
            finally:
                running.cancel()

    def _options(self) -> dict[str, Any]:
        left = remaining()
        if left is not None and left <= 0:
            raise DeadlineError("no time left for the call", field=self._peer)
        traceparent = current_traceparent()
        metadata = ((TRACEPARENT, traceparent),) if traceparent else ()
        return {"timeout": left, "metadata": metadata, "wait_for_ready": self._wait}

    async def _before_next(self, error: grpc.aio.AioRpcError, backoff: float) -> float:
        """Waits `backoff` seconds, more or less, and returns the next one; raises when another try is no use."""
        pause = backoff * random.uniform(0.5, 1.0)
        left = remaining()
        if error.code() != grpc.StatusCode.UNAVAILABLE or (left is not None and pause >= left):
            raise from_grpc(error, self._peer) from error
        await asyncio.sleep(pause)
        return min(backoff * 2, _LONGEST_BACKOFF_S)


class WorkerChannel(PeerChannel):
    """The channel to a service's own model worker, shared by its encoder, classifier and generator clients.

    The address `kserve://host:port/model` stands for a stock Triton or KServe server instead: the encoder's client then
    speaks the Open Inference Protocol to its model of that name (`inference_model`).
    """

    def __init__(self, address: str, timeout_s: float, *, wait_for_ready: bool = False) -> None:
        """Raises `ConfigurationError` for an address of that form without a model."""
        self.inference_model: str | None = None
        if address.startswith(_INFERENCE):
            address, _, self.inference_model = address.removeprefix(_INFERENCE).partition("/")
            if not self.inference_model:
                raise ConfigurationError(
                    f"no model in {_INFERENCE}{address}",
                    field="RAPPORT_WORKER__ADDRESS",
                    fix=f"write {_INFERENCE}host:port/model",
                )
        super().__init__("worker", address, timeout_s, wait_for_ready=wait_for_ready)
