"""Keeps the vectors of the articles in step with the articles and with the encoder, beside everything else."""

from __future__ import annotations

import asyncio

import structlog

from rapport.ops.errors import ConfigurationError, RapportError
from rapport.ops.parts import Health
from rapport.ops.tasks import end
from services.chatbot.handlers import learn
from services.chatbot.mind import Mind
from services.chatbot.ports import Ports

log = structlog.stdlib.get_logger(__name__)
# Between tries while the encoder does not answer.
_PAUSE_S = 1.0
# Without an encoder for this long the bot goes to work on words alone. A worker loads its model in less.
_PATIENCE_S = 60.0


class Learner:
    """A part. `prepared` is set once the articles are read and embedded, or read and the encoder stays away."""

    name = "learner"

    def __init__(self, mind: Mind) -> None:
        self._mind = mind
        self._joined: tuple[Ports, asyncio.Event] | None = None
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trouble = "waits for the articles"
        self.prepared = asyncio.Event()

    def join(self, ports: Ports, caught_up: asyncio.Event) -> None:
        """What to work with, and when the articles are read. Apart from `__init__`: the encoder among the ports
        reports to this part."""
        self._joined = ports, caught_up

    def wake(self) -> None:
        """There is something new to embed."""
        self._wanted.set()

    def notice(self, model: str) -> None:
        """The encoder that answers just now."""
        if model != self._mind.understanding.space:
            self._wanted.set()

    async def start(self) -> None:
        if self._joined is None:
            raise ConfigurationError("the learner has nothing to work with", fix="call join first")
        self._wanted.set()
        self._task = asyncio.create_task(self._run(*self._joined), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)

    def health(self) -> Health:
        live = self._task is not None and not self._task.done()
        return Health(live=live, ready=self.prepared.is_set(), detail=self._trouble)

    async def _run(self, ports: Ports, caught_up: asyncio.Event) -> None:
        await caught_up.wait()
        patience = asyncio.get_running_loop().call_later(_PATIENCE_S, self.prepared.set)
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                await self._try(ports)
        finally:
            patience.cancel()

    async def _try(self, ports: Ports) -> None:
        try:
            embedded = await learn(ports, self._mind)
        except RapportError as error:
            if str(error) != self._trouble:
                log.warning("articles are found by their words alone", error=str(error))
            self._trouble = str(error)
            self._wanted.set()
            await asyncio.sleep(_PAUSE_S)
        else:
            log.info("articles are embedded", fresh=embedded)
            self._trouble = ""
            self.prepared.set()
