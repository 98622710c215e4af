"""The parts of one process: started in order, asked how they are, stopped in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from rapport.ops.errors import ConfigurationError
from rapport.ops.parts import Health, Listening, Part

log = structlog.stdlib.get_logger(__name__)

# Seconds a part gets to stop. Kubernetes kills a pod 30 s after SIGTERM; consumers drain first and need the most.
STOP_WITHIN_S = 10.0


class Roster:
    """Knows which parts run, which still start and which wait."""

    def __init__(self) -> None:
        self._begun: list[Part] = []
        self._coming: list[Part] = []
        self._running: set[str] = set()
        self.complete = False
        """Set once no more parts come and all have started: until then the process is not ready."""

    def add(self, parts: Sequence[Part]) -> None:
        """Puts `parts` behind those already known. Raises `ConfigurationError` when two share a name."""
        names = {part.name for part in (*self._begun, *self._coming)}
        for part in parts:
            if part.name in names:
                raise ConfigurationError(f"two parts are called {part.name}")
            names.add(part.name)
        self._coming.extend(parts)

    async def start(self) -> None:
        """Starts, in order, the parts that wait. What a part raises ends it."""
        while self._coming:
            part = self._coming.pop(0)
            self._begun.append(part)
            await part.start()
            self._running.add(part.name)

    async def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """Stops in reverse, also the part whose start was cut short. One part's failure does not keep the others."""
        while self._begun:
            part = self._begun.pop()
            self._running.discard(part.name)
            try:
                async with asyncio.timeout(within_s):
                    await part.stop()
            except TimeoutError:
                log.warning("part did not stop in time", part=part.name, seconds=within_s)
            except Exception:
                log.exception("part failed to stop", part=part.name)

    def report(self) -> dict[str, Health]:
        """What each part says of itself."""
        said = {
            part.name: part.health() if part.name in self._running else Health(ready=False, detail="starting")
            for part in self._begun
        }
        said |= {part.name: Health(ready=False, detail="waiting") for part in self._coming}
        return said if self.complete else said | {"process": Health(ready=False, detail="starting")}

    def addresses(self) -> dict[str, str]:
        """Where the running parts listen."""
        return {part.name: part.address for part in self._begun if isinstance(part, Listening)}
