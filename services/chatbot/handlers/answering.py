"""What to say to one message: safe, understood, looked up, done or handed over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from services.chatbot.domain.draft import Draft
from services.chatbot.domain.languages import SPOKEN, base, unspoken
from services.chatbot.domain.reading import HANDOFF, Reading
from services.chatbot.handlers.conduct import blocked, called, settled, told_off
from services.chatbot.handlers.fresh import fresh
from services.chatbot.handlers.ongoing import ongoing, plainly
from services.chatbot.handlers.outgoing import Composer
from services.chatbot.handlers.turn import Heard, Turn
from services.chatbot.mind import Mind
from services.chatbot.ports import Ports
from services.chatbot.safety.temper import anger


async def answer(what: Heard, ports: Ports, mind: Mind) -> AsyncIterator[str | Draft]:
    """Pieces of text where they come one by one, then the draft of the whole reply."""
    turn = Turn(what, ports, mind)
    composer = Composer(turn)
    async for part in _parts(turn):
        piece = composer.take(part)
        if piece:
            yield piece
    yield settled(turn, composer.whole())


async def _parts(turn: Turn) -> AsyncIterator[str | Draft]:
    draft = await _at_once(turn)
    if draft is not None:
        yield draft
        return
    reading = await turn.read(turn.text)
    upset = anger(turn.text, reading.sentiment, turn.mind.words)
    draft = await _stopped(turn, reading, upset)
    if draft is not None:
        yield draft
        return
    sentiment = reading.sentiment if reading.sentiment is not None else (-upset if upset else None)
    turn.lead = told_off(turn, upset)
    parts = ongoing(turn, reading) if turn.dialogue.active is not None else fresh(turn, reading)
    async for part in parts:
        yield replace(part, sentiment=sentiment, intent=reading.intent) if isinstance(part, Draft) else part


async def _at_once(turn: Turn) -> Draft | None:
    """The answer to what needs no reading: nothing said, yes or no to an offer or to a request under way."""
    text, acts, dialogue = turn.text, turn.mind.acts, turn.dialogue
    offer = turn.what.conversation.last_offer()
    if not any(letter.isalnum() for letter in text) and not acts.is_only("yes", text):
        return Draft(turn.say("empty"), "ask", 1.0)
    if dialogue.active is None and unspoken(text) and base(turn.what.message.language or "") not in SPOKEN:
        return Draft("\n".join(turn.mind.phrases.say("which_language", one) for one in SPOKEN), "ask", 1.0)
    if offer is None and dialogue.active is None and acts.is_only("yes", text):
        return Draft(turn.say("empty"), "ask", 1.0)
    if offer == "handoff" and acts.is_only("yes", text):
        return called(turn, "requested")
    if offer == "handoff" and dialogue.active is None and (acts.is_only("no", text) or acts.is_only("drop", text)):
        return Draft(turn.say("no_handoff"), "ask", 1.0)
    return await plainly(turn)


async def _stopped(turn: Turn, reading: Reading, upset: float) -> Draft | None:
    """What a rail stops, and what a person has to answer."""
    # Anger first: shouting is like no shop question, and who shouts gets a person, not a rebuff.
    threat = turn.mind.words.has("threat", turn.text)
    if upset >= turn.mind.manner.handoff_anger and not threat:
        return replace(called(turn, "negative_sentiment"), sentiment=-upset)
    verdict = await turn.ports.rails.let_in(turn.text, reading.questions)
    if verdict.rail is not None:
        return blocked(turn, verdict.rail)
    if reading.intent == HANDOFF and (reading.by_rule or turn.dialogue.active is None):
        return called(turn, "requested")
    return None
