"""Runs the flows: fills slots, checks rules, asks, confirms, acts. Deterministic, without transport or model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rapport.events.chat import HandoffReason, ReplyAction
from rapport.events.orders import OrderActionRequested, OrderUpdated
from services.chatbot.domain.conversation import Offer
from services.chatbot.domain.dialogue import Dialogue, Done, Running, Slots
from services.chatbot.domain.phrases import Phrases
from services.chatbot.flows.acts import Acts
from services.chatbot.flows.around import Around
from services.chatbot.flows.filling import Filler
from services.chatbot.flows.policy import Rule
from services.chatbot.flows.spec import Flow
from services.chatbot.flows.which_order import all_orders, carried, named_orders, orders_by_goods
from services.chatbot.flows.wording import Wording, default_method

Command = Callable[[OrderUpdated, Flow, Slots], OrderActionRequested]
# Rules about these ask again; about the others there is nothing left to ask.
_CHOSEN_ANEW = ("refund_to", "payment")
# Answers in a row that do not help; then a person does better.
PATIENCE = 2


@dataclass(frozen=True, slots=True)
class Step:
    """What the flows say to one message."""

    texts: tuple[str, ...]
    """Paragraphs."""
    action: ReplyAction
    dialogue: Dialogue
    flow: str | None = None
    asks: str | None = None
    choices: tuple[str, ...] = ()
    order_id: str | None = None
    product_ids: tuple[str, ...] = ()
    commands: tuple[OrderActionRequested, ...] = ()
    handoff: HandoffReason | None = None
    offer: Offer | None = None
    heard: bool = False
    """The message told something that was not known."""

    def after(self, *texts: str) -> Step:
        """With paragraphs before its own."""
        return replace(self, texts=(*(text for text in texts if text), *self.texts))


class Engine:
    """One message's turn of the flows. `command` makes the command of a confirmed request."""

    def __init__(self, around: Around, acts: Acts, phrases: Phrases, command: Command) -> None:
        self._around, self._acts, self._command = around, acts, command
        self._wording = Wording(around, phrases)

    def flow(self, running: Running) -> Flow:
        return self._around.flows.flows[running.flow]

    def gives_reason(self, text: str) -> bool:
        """Whether `text` has the words of a reason."""
        return bool(self._around.entities(text).reasons)

    def begin(self, text: str, flow: Flow, dialogue: Dialogue, *, instead: bool = False) -> Step:
        """Starts a request with what `text` tells already; for several orders it is done for each in turn.

        `instead`: in place of the one under way, which is dropped.
        """
        # "Exchange it for the same as in order 2" names two orders, and means one.
        several = "order" in flow.slots and flow.effect != "exchange"
        orders = self._orders(text, flow) if several else []
        begun = [Running(flow=flow.name, told=text, slots=Slots(order=order.order_id)) for order in orders]
        slots = carried(text, flow, dialogue.active.slots, self._around) if dialogue.active else Slots()
        first, *others = begun or [Running(flow=flow.name, told=text, slots=slots)]
        dialogue = (dialogue.model_copy(update={"active": None}) if instead else dialogue).begin(first)
        return self.take(text, dialogue.model_copy(update={"waiting": (*others, *dialogue.waiting)}))

    def _orders(self, text: str, flow: Flow) -> list[OrderUpdated]:
        around = self._around
        return named_orders(text, around)[0] or all_orders(text, flow, around) or orders_by_goods(text, around)

    def take(self, text: str, dialogue: Dialogue) -> Step:
        """Takes what `text` tells into the active request and goes on."""
        running = _active(dialogue)
        filled = Filler(text, running, self.flow(running), self._around, self._acts).fill()
        changed = filled.slots != running.slots
        tries = 0 if changed else running.tries
        running = running.model_copy(update={"slots": filled.slots, "tries": tries, "begun": True})
        step = self.advance(dialogue.at(running))
        return replace(step.after(*self._wording.not_found(filled.unknown)), heard=changed)

    def advance(self, dialogue: Dialogue) -> Step:
        """Asks for what is missing; refuses what a rule forbids; else asks to confirm."""
        running = self._with_defaults(_active(dialogue))
        flow = self.flow(running)
        for slot in (*flow.slots, *flow.optional):
            if not _known(slot, running.slots):
                if slot in flow.slots:
                    return self._ask(slot, dialogue, running)
                continue
            for rule in flow.rules:
                known = rule.after == slot and running.slots.order is not None
                if known and not rule.holds(self._around.facts(running.slots)):
                    return self._forbid(rule, dialogue, running)
        running = running.model_copy(update={"asking": None, "confirming": True})
        text = self._wording.told(f"confirm_{flow.name}", running, flow)
        return self._step((text,), "confirm", dialogue.at(running), running)

    def confirm(self, dialogue: Dialogue) -> Step:
        """The customer said yes: checked once more against the order as it is now, then the command."""
        again = self.advance(dialogue)
        running = again.dialogue.active
        if again.action != "confirm" or running is None:
            return again
        flow = self.flow(running)
        text = self._wording.told(f"done_{flow.name}", running, flow)
        order = self._around.order(running.slots.order)
        if flow.effect == "complaint" or order is None:
            step = self._step((text,), "handoff", again.dialogue.close(), running)
            return replace(step, handoff="complaint")
        command = self._command(order, flow, running.slots)
        done = Done(action=flow.action, order_id=order.order_id, action_id=command.action_id)
        step = self._step((text,), "act", again.dialogue.close().did(done), running)
        return self.resume(replace(step, commands=(command,)))

    def drop(self, dialogue: Dialogue, *, everything: bool = False) -> Step:
        """The customer does not want it any more."""
        running = _active(dialogue)
        left = dialogue.model_copy(update={"active": None, "waiting": ()}) if everything else dialogue.close()
        name = "all_dropped" if everything else "dropped"
        return self.resume(self._step((self._wording.say(name),), "ask", left, running))

    def change(self, dialogue: Dialogue, *, unclear: bool = False) -> Step:
        """The customer said no to the confirmation, and not what is wrong; `unclear`: what they said did not help."""
        running = _active(dialogue)
        # An address is told without a word that leads up to it; everything else names itself.
        asking = "address" if "address" in self.flow(running).slots else None
        running = running.model_copy(update={"tries": running.tries + unclear, "asking": asking})
        return self._step((self._wording.say("ask_change"),), "ask", dialogue.at(running), running)

    def repeat(self, dialogue: Dialogue, *, unclear: bool) -> Step:
        """Asks again: after a question in between, or because the answer did not help."""
        running = _active(dialogue)
        running = running.model_copy(update={"tries": running.tries + unclear})
        step = self.advance(dialogue.model_copy(update={"active": running}))
        name = self._wording.say("not_clear") if unclear else self._back_to("back_to", running)
        return replace(step, texts=(self._wording.join((name, *step.texts)),))

    def resume(self, step: Step) -> Step:
        """Goes on with the request that waited, if any."""
        running = step.dialogue.active
        if running is None:
            return step
        fresh = not running.begun
        following = self.take(running.told, step.dialogue) if fresh else self.advance(step.dialogue)
        lead = self._back_to("next_is" if fresh else "back_to", following.dialogue.active or running)
        texts = (*step.texts, self._wording.join((lead, *following.texts)))
        commands = (*step.commands, *following.commands)
        # The reply is about what was done; what is asked next stands beside it.
        action = step.action if step.action == "act" else following.action
        return replace(following, texts=texts, commands=commands, action=action, flow=step.flow or following.flow)

    def _back_to(self, name: str, running: Running) -> str:
        return self._wording.say(name, what=self._wording.name(running))

    def _with_defaults(self, running: Running) -> Running:
        flow, slots = self.flow(running), running.slots
        if "refund_to" in flow.slots and slots.refund_to is None and slots.order is not None:
            method = default_method(running, flow, self._around)
            return running.model_copy(update={"slots": slots.model_copy(update={"refund_to": method})})
        return running

    def _ask(self, slot: str, dialogue: Dialogue, running: Running) -> Step:
        flow = self.flow(running)
        if slot == "order" and not self._around.orders:
            return self.resume(self._closed(dialogue, running, self._wording.say("none_eligible")))
        running = running.model_copy(update={"asking": slot, "confirming": False})
        question, choices = self._wording.ask(slot, running, flow)
        step = self._step((question,), "ask", dialogue.at(running), running)
        return replace(step, asks=slot, choices=choices)

    def _forbid(self, rule: Rule, dialogue: Dialogue, running: Running) -> Step:
        flow = self.flow(running)
        text = self._wording.told(rule.say, running, flow)
        if rule.after in _CHOSEN_ANEW:
            slots = running.slots.model_copy(update={rule.after: None})
            asking = running.model_copy(update={"slots": slots, "asking": rule.after, "confirming": False})
            _, choices = self._wording.ask(rule.after, asking, flow)
            step = self._step((text,), "ask", dialogue.at(asking), asking)
            return replace(step, asks=rule.after, choices=choices)
        if rule.then == "handoff":
            step = self._step((text,), "handoff", dialogue.close(), running)
            return replace(step, handoff="policy_limit")
        if rule.then == "offer_person" and not dialogue.waiting:
            text = self._wording.join((text, self._wording.say("offer_person")))
            return replace(self._closed(dialogue, running, text), offer="handoff")
        return self.resume(self._closed(dialogue, running, text))

    def _closed(self, dialogue: Dialogue, running: Running, text: str) -> Step:
        return self._step((text,), "refuse", dialogue.close(), running)

    def _step(self, texts: tuple[str, ...], action: ReplyAction, dialogue: Dialogue, running: Running) -> Step:
        slots = running.slots
        return Step(texts, action, dialogue, running.flow, order_id=slots.order, product_ids=slots.items or ())


def _active(dialogue: Dialogue) -> Running:
    """The request under way; callers have looked that there is one."""
    if dialogue.active is None:
        raise ValueError("no request is under way")
    return dialogue.active


def _known(slot: str, slots: Slots) -> bool:
    if slot == "wishes":
        return slots.items is not None and all(item in slots.wishes for item in slots.items)
    return getattr(slots, slot) is not None
