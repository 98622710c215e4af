"""How the bot behaves: when it stops a message, when it calls a person, when it owns up to not knowing."""

from __future__ import annotations

from dataclasses import replace

from rapport.events.chat import HandoffReason
from services.chatbot.domain.draft import Draft
from services.chatbot.handlers.turn import Turn
from services.chatbot.safety.rails import RailName

# From here on a customer hears that the bot is sorry, before the answer.
_SORRY_FROM = 0.4


def called(turn: Turn, reason: HandoffReason) -> Draft:
    """A person is called, and told so."""
    phrase = {"requested": "handoff", "low_confidence": "handoff_unsure", "negative_sentiment": "handoff_upset"}
    return Draft(turn.say(phrase.get(reason, "handoff")), "handoff", 1.0, handoff=reason, intent="handoff")


def blocked(turn: Turn, rail: RailName) -> Draft:
    """The message is not acted on. Who insults again, and who may hurt somebody, gets a person."""
    dialogue = turn.dialogue
    if rail == "threat" or (rail == "abuse" and dialogue.warned):
        return Draft(turn.say("handoff_safety"), "handoff", 1.0, handoff="safety")
    warned = dialogue.model_copy(update={"warned": rail == "abuse"})
    return Draft(turn.say(f"blocked_{rail}"), "blocked", 1.0, dialogue=warned)


def told_off(turn: Turn, upset: float) -> str:
    """A word of regret for who is upset, but not enough to need a person."""
    return turn.say("sorry") if upset >= _SORRY_FROM else ""


def settled(turn: Turn, draft: Draft) -> Draft:
    """Counts what was not understood; the second time in a row a person is called."""
    before = turn.dialogue
    after = draft.dialogue or before
    after = after.model_copy(update={"order": draft.order_id or before.order})
    if draft.action == "blocked" or draft.handoff is not None:
        return replace(draft, dialogue=after)
    if draft.action != "refuse" or draft.offer != "handoff" or draft.flow is not None:
        return replace(draft, dialogue=after.model_copy(update={"unsure": 0, "warned": False}))
    unsure = before.unsure + 1
    after = after.model_copy(update={"unsure": unsure, "warned": False})
    if unsure >= turn.mind.manner.handoff_after_unsure:
        hand_off = called(turn, "low_confidence")
        return replace(hand_off, intent=draft.intent, sentiment=draft.sentiment, dialogue=after)
    return replace(draft, dialogue=after)
