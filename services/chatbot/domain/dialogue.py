"""Where a conversation stands: requests under way, waiting and done. Kept in Redis, and with each reply in the log."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

ActionName = Literal["return", "cancel", "refund", "exchange", "address", "payment"]
# Commands remembered of one conversation; more would only swell the log.
_MOST_DONE = 20


class Wish(BaseModel):
    """What to have instead of an item: a variant of it, or words where the shop has no variants."""

    model_config = ConfigDict(frozen=True)

    product_id: str | None = None
    words: str | None = None


class Slots(BaseModel):
    """What a request has to know. None: not told yet."""

    model_config = ConfigDict(frozen=True)

    order: str | None = None
    items: tuple[str, ...] | None = None
    """Product ids, in the order's own sequence."""
    reason: str | None = None
    """A code of the flow file, or the customer's words."""
    wishes: dict[str, Wish] = {}
    """By product id."""
    refund_to: str | None = None
    """Id of a payment method."""
    payment: str | None = None
    address: str | None = None
    query: str | None = None
    about: str | None = None


class Running(BaseModel):
    """One request under way."""

    model_config = ConfigDict(frozen=True)

    flow: str
    slots: Slots = Slots()
    asking: str | None = None
    """The slot last asked for."""
    confirming: bool = False
    """Everything is told; a yes sets it off."""
    tries: int = 0
    """Answers in a row that did not help."""
    told: str = ""
    """What the customer said that started it."""
    begun: bool = False
    """What was told is taken in."""


class Done(BaseModel):
    """A command that went out."""

    model_config = ConfigDict(frozen=True)

    action: ActionName
    order_id: str
    action_id: str


class Dialogue(BaseModel):
    """Everything between turns."""

    model_config = ConfigDict(frozen=True)

    active: Running | None = None
    waiting: tuple[Running, ...] = ()
    """Interrupted or queued; the next one first."""
    unsure: int = 0
    """Messages in a row that were not understood or not answered."""
    warned: bool = False
    """The last message was nothing but abuse."""
    done: tuple[Done, ...] = ()
    order: str | None = None
    """The order last spoken of."""

    def begin(self, running: Running) -> Dialogue:
        """`running` comes first; what was under way waits."""
        waiting = (self.active, *self.waiting) if self.active else self.waiting
        return self.model_copy(update={"active": running, "waiting": waiting})

    def at(self, running: Running) -> Dialogue:
        """The active request has come to this point."""
        return self.model_copy(update={"active": running, "unsure": 0})

    def close(self) -> Dialogue:
        """The active request is over; the next one takes its place."""
        first, *rest = self.waiting or (None,)
        return self.model_copy(update={"active": first, "waiting": tuple(rest)})

    def did(self, done: Done) -> Dialogue:
        return self.model_copy(update={"done": (*self.done, done)[-_MOST_DONE:]})

    def actions_on(self, order_id: str) -> list[str]:
        """What was already asked for in this conversation, for one order."""
        return [one.action for one in self.done if one.order_id == order_id]
