"""Takes what a message tells into the slots of a request."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.events.orders import OrderUpdated
from services.chatbot.domain.dialogue import Running, Slots
from services.chatbot.flows import simple_slots as simple
from services.chatbot.flows.acts import Acts
from services.chatbot.flows.around import Around
from services.chatbot.flows.spec import Flow
from services.chatbot.flows.which_order import items_in, named_orders, order_in, order_of_alike, sole_order, spoken_of
from services.chatbot.flows.wish import parted, wishes_in, without_wishes

ORIGINAL = "original"
"""The payment method that the order was paid with, where its id is not known."""
# Asked after the items: an answer to these names no item, unless it begins with an objection: "no, the shoes". What is
# wished for instead may be called like another item all the same.
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
        # What a request begins with objects to the one before, not to itself.
        objection = acts.rest_after("no", text) if running.begun else None
        self._objecting = objection is not None
        # Once everything was told, or the customer objects, a new value replaces the old one.
        self._correcting = running.confirming or self._objecting
        self._question = acts.has("question", text)
        self._wanted = {*flow.slots, *flow.optional}
        # An objection leads up to what is right: "no, Main Street 7".
        said = text[-len(objection) :] if objection else text
        asked = (self._asking == "address" or self._objecting) and not self._question
        self._address = simple.address_in(said, asked=asked) if "address" in self._wanted else None

    def fill(self) -> Filled:
        """Slots that are empty, asked for, or corrected. With nothing new the slots come back as they were."""
        slots, unknown = self._order(self._running.slots)
        order = self._around.order(slots.order)
        if order is not None:
            slots = self._items(slots, order)
            slots = self._wishes(slots, order)
            slots = self._methods(slots, order)
        # What names another item is not the reason for taking it back.
        meant = (slots.order, slots.items) != (self._running.slots.order, self._running.slots.items)
        answers = not meant and not self._question and not self._acts.is_only("yes", self._text)
        return Filled(self._rest(slots, answers=answers), unknown)

    def _free(self, slot: str, value: object) -> bool:
        """Whether the slot may be written now."""
        return slot in self._wanted and (value is None or self._asking == slot or self._correcting)

    def _order(self, slots: Slots) -> tuple[Slots, tuple[str, ...]]:
        if "order" not in self._wanted:
            return slots, ()
        own, unknown = named_orders(self._text, self._around)
        # A postcode looks like the number of an order.
        unknown = tuple(number for number in unknown if number not in (self._address or ""))
        if any(one.order_id == slots.order for one in own):
            return slots, ()
        found = own[0] if own else None
        if slots.order is None and found is None and not unknown:
            found = self._meant_order()
        elif self._correcting and found is None and slots.order is not None and self._address is None:
            found = self._other_order(slots)
        asked = slots.order is None or self._asking == "order"
        if found is None or found.order_id == slots.order:
            return slots, unknown if asked else ()
        kept = {"reason": slots.reason, "refund_to": None, "address": slots.address, "about": slots.about}
        return Slots(order=found.order_id, **kept), ()

    def _meant_order(self) -> OrderUpdated | None:
        """The order that the text means without its number."""
        flow, around = self._flow, self._around
        told = order_in(self._text, flow, around) or spoken_of(self._text, flow, around)
        return told or order_of_alike(flow, around) or sole_order(flow, around)

    def _other_order(self, slots: Slots) -> OrderUpdated | None:
        """The order that a correction points to, unless it is about the items of the one at hand."""
        now = self._around.order(slots.order)
        if now is None or (len(now.lines) > 1 and items_in(self._text, now, self._around)):
            return None
        return order_in(self._text, self._flow, self._around) or order_of_alike(self._flow, self._around)

    def _items(self, slots: Slots, order: OrderUpdated) -> Slots:
        later = self._asking in _LATER and (self._asking == "wishes" or not self._objecting)
        adding = slots.items is not None and self._acts.has("also", self._text)
        if "items" not in self._wanted or (slots.items and later and not adding):
            return slots
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
        if self._rewished(slots, order):
            return slots
        wishes = {item: wish for item, wish in slots.wishes.items() if item in found}
        return slots.model_copy(update={"items": tuple(dict.fromkeys(found)), "wishes": wishes})

    def _rewished(self, slots: Slots, order: OrderUpdated) -> tuple[str, str] | None:
        """The item and what is wished for instead, when a correction is about that: "no, the lamp for a black one"."""
        lead, wished = parted(self._text) if self._correcting and "wishes" in self._wanted else ("", "")
        named = items_in(lead, order, self._around) if wished else ()
        return (named[0], wished) if len(named) == 1 and named[0] in (slots.items or ()) else None

    def _wishes(self, slots: Slots, order: OrderUpdated) -> Slots:
        if "wishes" not in self._wanted or slots.items is None:
            return slots
        if (again := self._rewished(slots, order)) is not None:
            item, wished = again
            told = wishes_in(wished, slots.model_copy(update={"items": (item,)}), self._around, item)
            return slots.model_copy(update={"wishes": slots.wishes | told})
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

    def _rest(self, slots: Slots, *, answers: bool) -> Slots:
        """`answers`: the whole text may be the answer to what was asked."""
        updates: dict[str, str | None] = {}
        if self._free("reason", slots.reason):
            asked = self._asking == "reason" and answers
            updates["reason"] = self._reason(asked=asked) or slots.reason
        if self._free("address", slots.address):
            updates["address"] = self._address or slots.address
        if self._free("query", slots.query):
            updates["query"] = simple.query_in(self._text, asked=self._asking == "query") or slots.query
        if self._free("about", slots.about):
            asked = self._asking == "about" and answers
            updates["about"] = simple.about_in(self._text, asked=asked) or slots.about
        return slots.model_copy(update=updates)

    def _reason(self, *, asked: bool) -> str | None:
        told = self._around.entities(self._text).reasons
        return simple.reason_in(self._text, told, asked=asked, accepted=self._flow.reasons)
