"""Following promotions: a part that tells each part of a process which version of its model should answer.

promoted = PromotedModels("recommender", settings)
promoted.follow("recommender-ranker", ranker.use)      # async def use(version: Version | None) -> None
return (…, promoted, …)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from rapport.bus.messages import Message
from rapport.bus.view import TopicView
from rapport.events.governance import ModelPromoted
from rapport.models.promotions import TOPIC
from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.errors import RapportError, RetryableError
from rapport.ops.metrics import counter
from rapport.ops.parts import Health
from rapport.ops.settings import Settings
from rapport.ops.tasks import end

log = structlog.stdlib.get_logger(__name__)

Use = Callable[[Version | None], Awaitable[None]]
"""Takes a version over; None: none is promoted any more, go back to the built-in one. Raising keeps what was there."""

# Seconds between tries while a follower says "try later", and while Kafka is down: there doubling up to the longest,
# as a worker may be run without Kafka for good.
_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 60.0


class PromotedModels:
    """Reads `models.v1` and calls the followers of each model, from the promotion that is there at the start on.

    A follower is called with one version at a time, in a task of its own; of several promotions meanwhile it sees the
    last. When it raises, the reason is logged, counted and shown in `health`, and it keeps what it has.
    """

    def __init__(self, name: str, settings: Settings, *, required: bool = False) -> None:
        """`name` says whose part it is ("recommender"). `required`: not ready until all promotions have been read; a
        process that has a built-in model should rather answer with that one while Kafka is away.
        """
        self.name = f"promoted:{name}"
        self._required = required
        self._registry = Registry(settings.models.cache)
        self._view = TopicView(name, TOPIC, self.apply, settings)
        self._promoted: dict[str, ModelPromoted] = {}
        self._followers: list[_Follower] = []
        self._families: list[tuple[str, Callable[[str], Use]]] = []
        self._opening: asyncio.Task[None] | None = None
        self.caught_up = self._view.caught_up
        """Set once everything that was promoted at the start is known (followers may still be at it)."""

    def promoted(self, model: str) -> str | None:
        """The version of `model` that is promoted, as far as is known."""
        event = self._promoted.get(model)
        return event.version if event else None

    def follow(self, model: str, use: Use) -> None:
        """Before `start`: `use` is called with every promotion of `model`, the files of the version verified."""
        self._followers.append(_Follower(model, use, self._registry, self.caught_up))

    def follow_all(self, model: str, use_of: Callable[[str], Use]) -> None:
        """As `follow`, for `model` and for every `model.suffix` that is ever promoted, such as one for each tenant:
        `use_of(suffix)`, "" for `model` itself, is who takes its versions over."""
        self._families.append((model, use_of))
        self.follow(model, use_of(""))

    async def start(self) -> None:
        """Returns at once; waits for Kafka in the background."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name=self.name)
            for follower in self._followers:
                follower.start()

    async def stop(self) -> None:
        opening, self._opening = self._opening, None
        await end(opening)
        for follower in self._followers:
            await follower.stop()
        await self._view.stop()

    def health(self) -> Health:
        troubles = [follower.trouble for follower in self._followers if follower.trouble]
        ready = self.caught_up.is_set() or not self._required
        known = "promotions read" if self.caught_up.is_set() else "promotions not read yet"
        return Health(ready=ready, detail="; ".join(troubles) or known)

    async def apply(self, messages: Sequence[Message]) -> None:
        """Takes promotions in; a tombstone withdraws one."""
        for message in messages:
            event = message.event if isinstance(message.event, ModelPromoted) else None
            if event is None:
                self._promoted.pop(message.key, None)
            else:
                self._promoted[message.key] = event
            self._meet(message.key)
            for follower in self._followers:
                if follower.model == message.key:
                    follower.tell(event)

    def _meet(self, name: str) -> None:
        """Has a model followed that belongs to a family and was not promoted before."""
        if any(follower.model == name for follower in self._followers):
            return
        for model, use_of in self._families:
            if name.startswith(f"{model}."):
                self.follow(name, use_of(name.removeprefix(f"{model}.")))
                if self._opening is not None:
                    self._followers[-1].start()

    async def _open(self) -> None:
        pause = _PAUSE_S
        while True:
            try:
                await self._view.start()
            except RapportError as error:
                log.warning("promotions cannot be read yet", reason=str(error), pause_s=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_S)
            else:
                return


class _Follower:
    """One `use`, its newest promotion, and what went wrong with it."""

    def __init__(self, model: str, use: Use, registry: Registry, caught_up: asyncio.Event) -> None:
        self.model, self.trouble = model, ""
        self._use, self._registry, self._caught_up = use, registry, caught_up
        self._news = asyncio.Event()
        self._wanted: ModelPromoted | None = None
        self._task: asyncio.Task[None] | None = None
        self._failures = counter("model_promotion_failures", "Promotions that were not taken over", ("model",))

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"follow {self.model}")

    async def stop(self) -> None:
        task, self._task = self._task, None
        await end(task)

    def tell(self, event: ModelPromoted | None) -> None:
        self._wanted = event
        self._news.set()

    async def _run(self) -> None:
        # Not before: the topic may still hold promotions that later ones replaced.
        await self._caught_up.wait()
        while True:
            await self._news.wait()
            self._news.clear()
            await self._take(self._wanted)

    async def _take(self, event: ModelPromoted | None) -> None:
        name = event.version if event else "the built-in one"
        try:
            version = await asyncio.to_thread(self._registry.load, event.model, event.version) if event else None
            await self._use(version)
        except RetryableError as error:
            self._failed(name, error)
            await asyncio.sleep(_PAUSE_S)
            self._news.set()  # with whatever is the newest by then
        except Exception as error:  # noqa: BLE001 - whatever a loader raises, the old model goes on
            self._failed(name, error)
        else:
            self.trouble = ""
            log.info("promotion taken over", model=self.model, version=name)

    def _failed(self, version: str, error: Exception) -> None:
        self.trouble = f"{self.model} {version} not taken over: {error}"
        self._failures.labels(self.model).inc()
        log.error("promotion not taken over", model=self.model, version=version, error=str(error) or repr(error))
