"""grpc.health.v1, answered from what the parts say at that moment rather than from a stored status.

A stored status is only as good as the last call that set it: a model thread that dies sets nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from rapport.ops.parts import Health

# Seconds between two looks for a watching client: a load balancer notices this much later.
_LOOK_S = 0.2
Status = health_pb2.HealthCheckResponse


class LiveHealth:
    """Serves `Check`, `Watch` and `List` for each named service and model, and for "" (all services)."""

    def __init__(
        self, services: Mapping[str, Callable[[], Health]], models: Mapping[str, Callable[[], Health]]
    ) -> None:
        """`models` do not count for "": one that is served once it is promoted keeps nobody from being ready."""
        self._services, self._named = dict(services), {**services, **models}
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """From now on nothing is serving; watchers are told and their streams end."""
        self._draining.set()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> health_pb2.HealthCheckResponse:
        status = self._status(request.service)
        if status == Status.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no such service: {request.service[:100]}")
        return Status(status=status)

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        last: int | None = None
        while True:
            status = self._status(request.service)
            if status != last:
                last = status
                yield Status(status=status)
            if self._draining.is_set():
                return
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._draining.wait()
            except TimeoutError:
                continue

    async def List(self, request: health_pb2.HealthListRequest, context: Any) -> health_pb2.HealthListResponse:
        return health_pb2.HealthListResponse(
            statuses={name: Status(status=self._status(name)) for name in ("", *self._named)}
        )

    def _status(self, service: str) -> Any:  # an enum value of the untyped generated code
        if service and service not in self._named:
            return Status.SERVICE_UNKNOWN
        if self._draining.is_set():
            return Status.NOT_SERVING
        asked = [self._named[service]] if service else list(self._services.values())
        states = [health() for health in asked]
        good = all(state.live and state.ready for state in states)
        return Status.SERVING if good else Status.NOT_SERVING
