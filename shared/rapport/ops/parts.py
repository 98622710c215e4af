"""A process is a list of parts, started in order and stopped in reverse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Health:
    """What a part says of itself. Not live: restart the process. Not ready: send it no work yet."""

    live: bool = True
    ready: bool = True
    detail: str = ""


class Part(Protocol):
    """Something with a life of its own: a consumer, a server, a loaded model, a connection pool."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None:
        """Returns once the part runs. It may become ready later (see `health`)."""

    async def stop(self) -> None:
        """Finishes work under way within the part's own bound, then lets go of everything.

        Safe to call twice, and after a `start` that was cut short.
        """

    def health(self) -> Health: ...


@runtime_checkable
class Listening(Protocol):
    """A part that can be reached. Its address stands on the process's "ready" line."""

    @property
    def address(self) -> str: ...
