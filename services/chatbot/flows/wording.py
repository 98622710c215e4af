"""A request in the customer's words: questions, choices, what is about to be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from rapport.events.orders import OrderUpdated, PaymentMethod
from services.chatbot.domain.dialogue import Running
from services.chatbot.domain.phrases import Phrases
from services.chatbot.flows.around import Around, lines_of
from services.chatbot.flows.filling import ORIGINAL
from services.chatbot.flows.policy import amount_of, difference_of, order_facts
from services.chatbot.flows.spec import Flow
from services.chatbot.flows.wish import choices as variants

# Choices read out at once.
_MOST = 5


class Wording:
    """Fills the flow file's sentences."""

    def __init__(self, around: Around, phrases: Phrases) -> None:
        self._around, self._phrases = around, phrases

    def say(self, name: str, **slots: object) -> str:
        return self._around.flows.say(name, self._around.language, **slots)

    def join(self, sentences: Sequence[str]) -> str:
        return ("" if self._around.language == "zh" else " ").join(one for one in sentences if one)

    def told(self, name: str, running: Running, flow: Flow) -> str:
        """A sentence of the file with everything that is known of the request."""
        return self.say(name, **self._facts(running, flow))

    def name(self, running: Running) -> str:
        return self.say(f"name_{running.flow}", order=running.slots.order or "…").replace(" …", "")

    def not_found(self, numbers: Sequence[str]) -> list[str]:
        return [self._phrases.say("order_not_found", self._around.language, number=one) for one in numbers]

    def ask(self, slot: str, running: Running, flow: Flow) -> tuple[str, tuple[str, ...]]:
        """The question for a slot, with the answers to choose from."""
        choices, shown = self._choices(slot, running, flow)
        listed = self._listed(shown)
        order, item = running.slots.order or "", ""
        if slot == "wishes":
            item = self._item(running)
        question = self.say(flow.ask.get(slot, f"ask_{slot}"), choices=listed, order=order, item=item).strip()
        return question, choices

    def _choices(self, slot: str, running: Running, flow: Flow) -> tuple[tuple[str, ...], list[str]]:
        """What to press, and how it reads in the sentence."""
        order = self._around.order(running.slots.order)
        if slot == "order":
            orders = (self._around.eligible(flow) or list(self._around.orders))[:_MOST]
            return tuple(one.order_id for one in orders), [self._order(one) for one in orders]
        if order is None:
            return (), []
        names = list[str]()
        if slot == "items":
            names = [self._around.line_name(line) for line in order.lines][: 2 * _MOST]
        elif slot == "wishes":
            names = list(variants(self._next_item(running), self._around))
        elif slot in ("refund_to", "payment"):
            names = [self._method(one) for one in methods_allowed(slot, running, flow, self._around)]
        return tuple(names), names

    def _listed(self, shown: Sequence[str]) -> str:
        if not shown:
            return ""
        return f"({'；'.join(shown)})" if self._around.language == "zh" else f"({'; '.join(shown)})"

    def _order(self, order: OrderUpdated) -> str:
        names = [self._around.line_name(line) for line in order.lines[:2]]
        more = ", …" if len(order.lines) > len(names) else ""
        return f"{order.order_id}: {', '.join(names)}{more}" if names else order.order_id

    def _next_item(self, running: Running) -> str:
        slots = running.slots
        return next((item for item in slots.items or () if item not in slots.wishes), "")

    def _item(self, running: Running) -> str:
        order, wanted = self._around.order(running.slots.order), self._next_item(running)
        lines = lines_of(order, (wanted,)) if order else []
        return self._around.line_name(lines[0]) if lines else wanted

    def _facts(self, running: Running, flow: Flow) -> dict[str, object]:  # noqa: ARG002 - one shape for all flows
        slots, around = running.slots, self._around
        facts: dict[str, object] = {**around.flows.policy, "about": slots.about or "", "address": slots.address or ""}
        order = around.order(slots.order)
        if order is None:
            return facts
        told = order_facts(order, around.now, ())
        names = [around.line_name(line) for line in lines_of(order, slots.items)]
        reason = around.flows.reason_label(slots.reason, around.language) if slots.reason else "-"
        return facts | {
            "order": order.order_id,
            "status": self._phrases.say(f"status_{order.status}", around.language),
            "days": int(told["days_since_delivery"]),
            "placed_days": int(told["days_since_placed"]),
            "items": ("、" if around.language == "zh" else ", ").join(names),
            "amount": money(amount_of(order, slots.items), order),
            "reason": reason,
            "refund_to": self._method_of(order, slots.refund_to),
            "payment": self._method_of(order, slots.payment),
            "exchanges": self._exchanges(running, order),
            "difference": self._difference(running, order),
        }

    def _exchanges(self, running: Running, order: OrderUpdated) -> str:
        told = []
        for line in lines_of(order, running.slots.items):
            wish = running.slots.wishes.get(line.product_id)
            if wish is not None:
                new = self._around.product_name(wish.product_id) if wish.product_id else wish.words or ""
                told.append(f"{self._around.line_name(line)} → {new}")
        return "; ".join(told)

    def _difference(self, running: Running, order: OrderUpdated) -> str:
        difference = difference_of(order, running.slots, self._around.products)
        if not difference:
            return ""
        name = "difference_more" if difference > 0 else "difference_less"
        method = self._method_of(order, running.slots.refund_to)
        return self.say(name, amount=money(abs(difference), order), refund_to=method)

    def _method_of(self, order: OrderUpdated, method_id: str | None) -> str:
        method = self._around.method(order, method_id)
        return self._method(method) if method else self.say("original_method")

    def _method(self, method: PaymentMethod) -> str:
        return method.label or method.kind.replace("_", " ")


def methods_allowed(slot: str, running: Running, flow: Flow, around: Around) -> list[PaymentMethod]:
    """The payment methods that the flow's rules let through."""
    order = around.order(running.slots.order)
    rules: list[Callable[[dict[str, object]], bool]] = [rule.holds for rule in flow.rules if rule.after == slot]
    allowed = []
    for method in order.payment_methods if order else ():
        facts = around.facts(running.slots.model_copy(update={slot: method.id}))
        if all(holds(facts) for holds in rules):
            allowed.append(method)
    return allowed


def default_method(running: Running, flow: Flow, around: Around) -> str | None:
    """Where the money goes when there is nothing to choose."""
    order = around.order(running.slots.order)
    if order is None or not order.payment_methods:
        return ORIGINAL
    if flow.effect == "exchange" and _even(running, order, around):
        return order.payment_method or ORIGINAL
    allowed = methods_allowed("refund_to", running, flow, around)
    return allowed[0].id if len(allowed) == 1 else None


def _even(running: Running, order: OrderUpdated, around: Around) -> bool:
    """Whether it is told what is wanted instead of each item, and nothing is to be paid or given back."""
    slots = running.slots
    told = slots.items is not None and all(item in slots.wishes for item in slots.items)
    return told and not difference_of(order, slots, around.products)


def money(amount: Decimal, order: OrderUpdated) -> str:
    return f"{amount:.2f} {order.currency or ''}".strip()
