"""Asking the running supervisord: XML-RPC over its unix socket."""

from __future__ import annotations

import socket
import xmlrpc.client
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from rapport.ops.errors import UnavailableError

# Supervisor's own states in which a process has a process id or is about to get one.
ALIVE = frozenset({"STARTING", "RUNNING", "BACKOFF", "STOPPING"})
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Info:
    """What supervisor says about one process."""

    name: str
    state: str
    pid: int
    since: int
    """When it was started last, in seconds since 1970."""
    message: str
    """Why it is not running, in supervisor's words; empty if it is."""


class Supervisor:
    """The supervisord behind `path`. Every method raises `UnavailableError` if it is not there."""

    def __init__(self, path: Path) -> None:
        self._transport = _UnixTransport(path)
        self._proxy = xmlrpc.client.ServerProxy("http://supervisor/RPC2", transport=self._transport)

    def answers(self) -> bool:
        """True if supervisord runs and takes commands."""
        try:
            state = self._call("getState")
        except (UnavailableError, xmlrpc.client.Error):
            return False
        return isinstance(state, dict) and state.get("statename") == "RUNNING"

    def processes(self) -> dict[str, Info]:
        """Every process it knows, by name."""
        answer = self._call("getAllProcessInfo")
        assert isinstance(answer, list)
        return {
            each["name"]: Info(each["name"], each["statename"], each["pid"], each["start"], each["spawnerr"])
            for each in answer
        }

    def pid(self) -> int:
        """Process id of supervisord itself."""
        return int(str(self._call("getPID")))

    def start(self, names: Iterable[str]) -> None:
        """Start those that do not run yet, without waiting for them."""
        for name in names:
            # Refused for one that is started already, which is as good.
            with suppress(xmlrpc.client.Fault):
                self._call("startProcess", name, False)

    def stop(self, names: Iterable[str]) -> None:
        """Send their stop signal, without waiting for them."""
        for name in names:
            with suppress(xmlrpc.client.Fault):
                self._call("stopProcess", name, False)

    def shutdown(self) -> None:
        """End supervisord and what still runs below it."""
        with suppress(xmlrpc.client.Fault):
            self._call("shutdown")

    def _call(self, method: str, *arguments: object) -> object:
        try:
            answer: object = getattr(self._proxy.supervisor, method)(*arguments)
        except (OSError, HTTPException) as error:
            raise UnavailableError("the supervisor of this stack is gone", fix="./rapport down, then up") from error
        finally:
            # A fresh connection for each call: supervisor drops idle ones without a word.
            self._transport.close()
        return answer


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self._open = path, _UnixConnection(path)

    def make_connection(self, _host: object) -> HTTPConnection:
        self._open = _UnixConnection(self._path)
        return self._open

    def close(self) -> None:
        super().close()
        self._open.close()


class _UnixConnection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("supervisor", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(str(self._path))
