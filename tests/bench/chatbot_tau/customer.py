"""A customer played by a script: says what the task says, answers what is asked, confirms what is right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rapport.events.chat import ChatReply
from tests.bench.chatbot_tau.shop import Action, Shop, address_of, carried_out, gold, plain_address

Json = dict[str, Any]
_PERSONA = re.compile(
    r"^(your name is|you are [a-z]+(, [a-z]+)*,? ?(and [a-z]+)?\.?$|if the agent|if asked|be |try |express|emphasi)",
    re.IGNORECASE,
)
_FIRST_PERSON = (
    (r"\byou're\b", "I'm"), (r"\byou've\b", "I've"), (r"\byou'd\b", "I'd"), (r"\byou'll\b", "I'll"),
    (r"\byou are\b", "I am"), (r"\byou were\b", "I was"), (r"\byourself\b", "myself"), (r"\byours\b", "mine"),
    (r"\byour\b", "my"),
    (r"\b(to|for|from|with|of) you\b", r"\1 me"), (r"\byou\b", "I"),
)  # fmt: skip


class Customer:
    """Plays one task."""

    def __init__(self, task: Json, shop: Shop, opening: str) -> None:
        self._shop, self._instruction = shop, task["instruction"]
        self._writes = [(one, gold(one)) for one in task["actions"] if gold(one) and carried_out(one, shop)]
        self._instruction_first = opening == "instruction" or not self._writes
        self._said_order: set[str] = set()

    @property
    def wanted(self) -> list[Action]:
        return [plain for _, plain in self._writes if plain is not None]

    def opens(self) -> str:
        return in_first_person(self._instruction) if self._instruction_first else self.next_wish([]) or "hello"

    def next_wish(self, done: Sequence[Action]) -> str | None:
        """What to ask for now; None when everything is done."""
        told = self._left(done)
        return self._wish(told) if told else None

    def answers(self, reply: ChatReply, done: Sequence[Action]) -> str | None:
        """To what the bot said; None when there is nothing more to say."""
        told = self._about(reply, done)
        if reply.action == "confirm" or (reply.state or {}).get("active", {}).get("confirming"):
            if told is None:
                return "never mind"
            return "yes" if self._right(reply, told) else self._correction(reply, told)
        if told is not None and reply.asks:
            return self._slot(reply.asks, told, reply)
        if reply.asks:
            return "never mind"
        return self.next_wish(done)

    def _left(self, done: Sequence[Action]) -> Json | None:
        return next((told for told, plain in self._writes if plain not in done), None)

    def _about(self, reply: ChatReply, done: Sequence[Action]) -> Json | None:
        """The wish that the bot is at."""
        active = (reply.state or {}).get("active") or {}
        effect, order = active.get("flow") or reply.flow, (active.get("slots") or {}).get("order")
        left = [told for told, plain in self._writes if plain is not None and plain not in done and plain[0] == effect]
        same = [told for told in left if told["kwargs"]["order_id"] == order]
        chosen: Json | None = next(iter(same or left), None)
        return chosen

    def _right(self, reply: ChatReply, told: Json) -> bool:
        """Whether what is to be confirmed is what the customer wants."""
        slots = ((reply.state or {}).get("active") or {}).get("slots") or {}
        wanted = told["kwargs"]
        if slots.get("order") != wanted["order_id"]:
            return False
        if "item_ids" in wanted and set(slots.get("items") or ()) != set(wanted["item_ids"]):
            return False
        if "new_item_ids" in wanted:
            wishes = {old: wish.get("product_id") for old, wish in (slots.get("wishes") or {}).items()}
            if wishes != dict(zip(wanted["item_ids"], wanted["new_item_ids"], strict=True)):
                return False
        if "address1" in wanted and plain_address(slots.get("address") or "") != plain_address(address_of(wanted)):
            return False
        if "reason" in wanted and slots.get("reason") != (gold(told) or ("", "", ""))[2]:
            return False
        method = slots.get("payment") or slots.get("refund_to")
        return "payment_method_id" not in wanted or method == wanted["payment_method_id"]

    def _correction(self, reply: ChatReply, told: Json) -> str:
        slots = ((reply.state or {}).get("active") or {}).get("slots") or {}
        wanted = told["kwargs"]
        if slots.get("order") != wanted["order_id"]:
            return f"no, I mean order {wanted['order_id']}"
        if "item_ids" in wanted and set(slots.get("items") or ()) != set(wanted["item_ids"]):
            return f"no, {self._items(wanted)}"
        if "new_item_ids" in wanted:
            wishes = slots.get("wishes") or {}
            for old, new in zip(wanted["item_ids"], wanted["new_item_ids"], strict=True):
                if (wishes.get(old) or {}).get("product_id") != new:
                    return f"no, the {self._name(old)} for {self._options(new)}"
        if "reason" in wanted:
            return f"no, the reason is that it was {wanted['reason']}"
        if "address1" in wanted:
            return f"no, to {address_of(wanted)}"
        return f"no, to my {self._method(wanted)}"

    def _slot(self, slot: str, told: Json, reply: ChatReply) -> str:
        wanted = told["kwargs"]
        if slot == "order":
            return f"order {wanted['order_id']}"
        if slot == "items":
            return self._items(wanted)
        if slot == "wishes":
            slots = ((reply.state or {}).get("active") or {}).get("slots") or {}
            pairs = dict(zip(wanted["item_ids"], wanted["new_item_ids"], strict=True))
            missing = [item for item in slots.get("items") or () if item not in (slots.get("wishes") or {})]
            return self._options(pairs[missing[0]]) if missing and missing[0] in pairs else "never mind"
        if slot in ("refund_to", "payment"):
            return f"to my {self._method(wanted)}"
        if slot == "address":
            return address_of(wanted)
        return str(wanted.get("reason", "it is not what I wanted"))

    def _wish(self, told: Json) -> str:
        wanted, kind = told["kwargs"], (gold(told) or ("",))[0]
        names = [item["name"] for item in self._shop.raw_orders[wanted["order_id"]]["items"]]
        order = f" order {wanted['order_id']}" if wanted["order_id"] in self._instruction else " my order"
        if kind == "cancel":
            return f"I want to cancel{order}, {wanted['reason']}"
        if kind == "return":
            return f"I want to return {self._items(wanted)} from{order}"
        if kind == "exchange":
            pairs = zip(wanted["item_ids"], wanted["new_item_ids"], strict=True)
            wishes = " and ".join(f"the {self._called(old, names)} for {self._changes(old, new)}" for old, new in pairs)
            return f"I want to exchange {wishes} from{order}"
        if kind == "address":
            return f"I want to change the address of{order} to {address_of(wanted)}"
        return f"I want to change the payment of{order} to my {self._method(wanted)}"

    def _items(self, wanted: Json) -> str:
        order = self._shop.raw_orders[wanted["order_id"]]
        names = [item["name"] for item in order["items"]]
        told = [f"the {self._called(id_, names)}" for id_ in wanted["item_ids"]]
        return " and ".join(told)

    def _called(self, item_id: str, names: Sequence[str]) -> str:
        """Its name; with its options where the order has two of the name."""
        name = self._name(item_id)
        return f"{name} ({self._options(item_id)})" if names.count(name) > 1 else name

    def _name(self, item_id: str) -> str:
        return self._shop.products[item_id].title["en"]

    def _options(self, item_id: str) -> str:
        return ", ".join(str(value) for value in self._shop.products[item_id].attributes.values())

    def _changes(self, old: str, new: str) -> str:
        before, after = self._shop.products[old].attributes, self._shop.products[new].attributes
        return " ".join(str(value) for name, value in after.items() if before.get(name) != value) or self._options(new)

    def _method(self, wanted: Json) -> str:
        method = wanted["payment_method_id"]
        owner = self._shop.raw_orders[wanted["order_id"]]["user_id"]
        told = self._shop.users[owner]["payment_methods"][method]
        kind = told["source"].replace("_", " ")
        return f"{kind} ending in {told['last_four']}" if "last_four" in told else kind


def in_first_person(instruction: str) -> str:
    """The instruction as the customer would say it."""
    sentences = [one for one in re.split(r"(?<=[.!?])\s+", instruction) if not _PERSONA.match(one.strip())]
    text = " ".join(sentences)
    for pattern, mine in _FIRST_PERSON:
        text = re.sub(pattern, mine, text, flags=re.IGNORECASE)
    return text
