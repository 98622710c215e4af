"""An ASGI application served by uvicorn as a part of a process that has its own event loop and signal handling."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import uvicorn

from rapport.ops.errors import ConfigurationError
from rapport.ops.parts import Health

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class HttpServer:
    """Listens from `start` to `stop`; requests under way get `drain_s` seconds to finish."""

    def __init__(
        self,
        name: str,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        setting: str,
        drain_s: int = 5,
        proxies: Sequence[str] = ("127.0.0.1", "::1"),
    ) -> None:
        """`setting` is the environment variable that moves the port, named in the error when it is taken. `proxies`
        are believed whose client they speak for."""
        self.name = name
        self._app, self._host, self._port, self._setting, self._drain_s = app, host, port, setting, drain_s
        self._proxies = proxies
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """http://host:port, with the port that was really taken."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Raises `ConfigurationError` when the address cannot be listened on."""
        bound = listen(self._host, self._port, self._setting)
        self._port = bound.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                self._app,
                log_config=None,  # ours is set up already
                access_log=False,
                forwarded_allow_ips=list(self._proxies),
                lifespan="off",  # parts own what needs opening and closing
                timeout_graceful_shutdown=self._drain_s,
            )
        )
        self._serving = asyncio.create_task(self._server.serve([bound]), name=self.name)
        running = asyncio.create_task(self._server.running.wait())
        await asyncio.wait({self._serving, running}, return_when=asyncio.FIRST_COMPLETED)
        running.cancel()
        if self._serving.done():
            await self._serving

    async def stop(self) -> None:
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        serving, self._serving = self._serving, None
        await serving

    def health(self) -> Health:
        live = self._serving is not None and not self._serving.done()
        return Health(live=live, ready=live, detail=self.address)


class _Server(uvicorn.Server):
    """Leaves signals to the process's life cycle, and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.running = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.running.set()


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening TCP socket; port 0 takes a free one. Raises `ConfigurationError` naming the address and the fix."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}",
            field=setting,
            fix="end what holds the port, or set another (0 takes a free one)",
        ) from error
