"""Takes what a message tells into the slots of a request."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.events.orders import OrderUpdated
from services.chatbot.domain.dialogue import Running, Slots
from services.chatbot.flows import simple_slots as simple
from services.chatbot.flows.acts import Acts
from services.chatbot.flows.around import Around
from services.chatbot.flows.spec import Flow
from services.chatbot.flows.which_order import items_in, named_orders, order_in, sole_order
from services.chatbot.flows.wish import wishes_in, without_wishes

ORIGINAL = "original"
"""The payment method that the order was paid with, where its id is not known."""
# Asked after the items: an answer to these names no item.
_LATER = ("wishes", "refund_to", "reason")


@dataclass(frozen=True, slots=True)
class Filled:
    slots: Slots
    unknown: tuple[str, ...] = ()
    """Order numbers in the text that are none of the customer's."""


class Filler:
    """One flow, one message."""

    def __init__(self, text: str, running: Running, flow: Flow, around: Around, acts: Acts) -> None:
        self._text, self._flow, self._around, self._acts = text, flow, around, acts
        self._running = running
        self._asking = running.asking
        # Once everything was told, or the customer objects, a new value replaces the old one.
        self._correcting = running.confirming or acts.rest_after("no", text) is not None
        self._wanted = {*flow.slots, *flow.optional}

    def fill(self) -> Filled:
        """Slots that are empty, asked for, or corrected. With nothing new the slots come back as they were."""
        slots, unknown = self._order(self._running.slots)
        order = self._around.order(slots.order)
        if order is not None:
            slots = self._items(slots, order)
            slots = self._wishes(slots)
            slots = self._methods(slots, order)
        return Filled(self._rest(slots), unknown)

    def _free(self, slot: str, value: object) -> bool:
        """Whether the slot may be written now."""
        return slot in self._wanted and (value is None or self._asking == slot or self._correcting)

    def _order(self, slots: Slots) -> tuple[Slots, tuple[str, ...]]:
        if "order" not in self._wanted:
            return slots, ()
        own, unknown = named_orders(self._text, self._around)
        if any(one.order_id == slots.order for one in own):
            return slots, ()
        found = own[0] if own else None
        if slots.order is None and found is None and not unknown:
            found = order_in(self._text, self._flow, self._around) or sole_order(self._flow, self._around)
        elif self._correcting and found is None and slots.order is not None:
            found = self._other_order(slots)
        asked = slots.order is None or self._asking == "order"
        if found is None or found.order_id == slots.order:
            return slots, unknown if asked else ()
        kept = {"reason": slots.reason, "refund_to": None, "address": slots.address, "about": slots.about}
        return Slots(order=found.order_id, **kept), ()

    def _other_order(self, slots: Slots) -> OrderUpdated | None:
        """The order that a correction points to, unless it is about the items of the one at hand."""
        now = self._around.order(slots.order)
        if now is None or (len(now.lines) > 1 and items_in(self._text, now, self._around)):
            return None
        return order_in(self._text, self._flow, self._around)

    def _items(self, slots: Slots, order: OrderUpdated) -> Slots:
        if "items" not in self._wanted or (slots.items and self._asking in _LATER):
            return slots
        adding = slots.items is not None and self._acts.has("also", self._text)
        if not (adding or self._free("items", slots.items)):
            return slots
        found = items_in(self._text, order, self._around)
        if "wishes" in self._wanted and len(found) > 1:
            found = items_in(without_wishes(self._text), order, self._around) or found
        if adding:
            found = tuple(line.product_id for line in order.lines if line.product_id in {*(slots.items or ()), *found})
        # At the confirmation "the blue one" may be the variant wished for: then it names no other line.
        if not found or (self._correcting and not adding and len(order.lines) == 1):
            return slots
        wishes = {item: wish for item, wish in slots.wishes.items() if item in found}
        return slots.model_copy(update={"items": tuple(dict.fromkeys(found)), "wishes": wishes})

    def _wishes(self, slots: Slots) -> Slots:
        if "wishes" not in self._wanted or slots.items is None:
            return slots
        missing = [item for item in slots.items if item not in slots.wishes]
        asked = missing[0] if self._asking == "wishes" and missing else None
        found = wishes_in(self._text, slots, self._around, asked)
        new = {item: wish for item, wish in found.items() if item in missing or self._correcting}
        return slots.model_copy(update={"wishes": slots.wishes | new})

    def _methods(self, slots: Slots, order: OrderUpdated) -> Slots:
        found = simple.method_in(self._text, order)
        updates = {
            name: found.id
            for name in ("refund_to", "payment")
            if found is not None and self._free(name, getattr(slots, name))
        }
        return slots.model_copy(update=updates)

    def _rest(self, slots: Slots) -> Slots:
        updates: dict[str, str | None] = {}
        question = self._acts.has("question", self._text)
        if self._free("reason", slots.reason):
            asked = self._asking == "reason" and not question
            updates["reason"] = self._reason(asked=asked) or slots.reason
        if self._free("address", slots.address):
            asked = self._asking == "address" and not question
            updates["address"] = simple.address_in(self._text, asked=asked) or slots.address
        if self._free("query", slots.query):
            updates["query"] = simple.query_in(self._text, asked=self._asking == "query") or slots.query
        if self._free("about", slots.about):
            updates["about"] = simple.about_in(self._text, asked=self._asking == "about") or slots.about
        return slots.model_copy(update=updates)

    def _reason(self, *, asked: bool) -> str | None:
        told = self._around.entities(self._text).reasons
        return simple.reason_in(self._text, told, asked=asked, accepted=self._flow.reasons)
