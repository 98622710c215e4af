"""The gRPC server of a service or of a model worker, as a part of its process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from rapport.ops.errors import ConfigurationError
from rapport.ops.parts import Health
from rapport.serving.grpc_health import LiveHealth
from rapport.serving.interceptor import CallInterceptor
from rapport.serving.options import SERVER_OPTIONS

# The generated `add_…Servicer_to_server`, the servicer, and the service's full name ("rapport.contracts….Encoder").
Servicing = tuple[Callable[[Any, grpc.aio.Server], None], object, str]

# Calls under way at once; each holds a task and its request. More are refused by gRPC with RESOURCE_EXHAUSTED.
_MAX_CALLS = 4096


class Listen(Protocol):
    """Where to listen, and how long to drain (`GrpcSettings` fits)."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def drain_s(self) -> float: ...


class GrpcServer:
    """Serves `servicers` with health, reflection, deadlines, trace context and typed errors.

    A servicer's methods are `async def`s that return a message, or async generators that yield messages. What they
    raise from the error tree reaches the caller as its status and message; anything else is INTERNAL, with the
    traceback in the log only. `rapport.serving.deadline.remaining()` is the time left for the call being served.
    """

    def __init__(
        self,
        name: str,
        listen: Listen,
        servicers: Sequence[Servicing],
        *,
        health: Mapping[str, Callable[[], Health]] | None = None,
        models: Mapping[str, Callable[[], Health]] | None = None,
        setting: str = "RAPPORT_GRPC__PORT",
    ) -> None:
        """`health` says per service name whether it serves now (default: whenever the server runs); it must not
        block. `models` does so for names of models, which the health service answers beside the services. `setting` is
        the environment variable that moves the port, named in the error when it is taken.
        """
        self.name = name
        self._listen, self._servicers, self._setting = listen, servicers, setting
        self._states = {name: Health for _, _, name in servicers} | dict(health or {})
        self._models = dict(models or {})
        self._server: grpc.aio.Server | None = None
        self._health: LiveHealth | None = None
        self._port = listen.port

    @property
    def port(self) -> int:
        """The port listened on; before `start`, the one asked for."""
        return self._port

    @property
    def address(self) -> str:
        """host:port, as a client dials it."""
        host = f"[{self._listen.host}]" if ":" in self._listen.host else self._listen.host
        return f"{host}:{self._port}"

    async def start(self) -> None:
        """Raises `ConfigurationError` when the address cannot be listened on."""
        if self._server is not None:
            return
        server = grpc.aio.server(
            interceptors=[CallInterceptor(self.name, self._states)],
            maximum_concurrent_rpcs=_MAX_CALLS,
            options=SERVER_OPTIONS,
        )
        for add, servicer, _ in self._servicers:
            add(servicer, server)
        self._health = LiveHealth(self._states, self._models)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection([*self._states, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
        try:
            self._port = server.add_insecure_port(self.address)
        except RuntimeError as error:
            raise ConfigurationError(
                f"cannot listen on {self.address}",
                field=self._setting,
                fix="end what holds the port, or set another (0 takes a free one)",
            ) from error
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Refuses new calls; those under way get `drain_s` seconds and are then cancelled."""
        server, self._server = self._server, None
        if server is None:
            return
        if self._health is not None:
            self._health.drain()
        await server.stop(self._listen.drain_s)

    def health(self) -> Health:
        if self._server is None:
            return Health(ready=False, detail="not listening")
        return Health(detail=self.address)
