"""A message while nothing is under way: which requests it has, and each one's beginning or answer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from services.chatbot.domain.dialogue import Running
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.entities.order_numbers import Mentions, mentions
from services.chatbot.domain.reading import KNOWLEDGE, OUT_OF_SCOPE, Reading
from services.chatbot.domain.understanding import plain_form
from services.chatbot.flows.spec import Flow
from services.chatbot.flows.splitting import Request, split
from services.chatbot.handlers import telling
from services.chatbot.handlers.turn import Turn, drafted

# Asks of one order whether, or how, something can be done with it.
_WHETHER = re.compile(
    r"^(?:can|could|may|how (?:do|can)) (?:i|we) (?:still )?|还?(?:可以|能不能|可不可以|能|怎么|如何)|(?:吗|呢)?[?？]*$"
)
# P(a | q) from which an article outweighs a likeness. Of the questions in tests/integration/chatbot/questions.toml none
# that wants an action reaches it, save by a rule.
SURE = 0.6
# P(intent) from which a likeness alone starts something that changes orders, or tells something.
_STARTS = 0.6
# P(a | q) from which a question beside a request is answered as well.
_BESIDE = 0.4


async def fresh(turn: Turn, reading: Reading) -> AsyncIterator[str | Draft]:
    """Parts of the reply."""
    flows, acts = turn.mind.flows, turn.mind.acts
    requests = split(turn.text, flows, acts, turn.mind.understanding.by_rule)
    if len(requests) < 2:
        async for part in _one(turn, requests[0], reading):
            yield part
        return
    queued: list[Running] = []
    for request in requests:
        flow = flows.flows.get(request.name or "")
        if flow is not None and not flow.telling:
            if queued and acts.has("instead", request.text):
                queued.pop()
            queued.append(Running(flow=flow.name, told=request.text))
            continue
        async for part in _beside(turn, request):
            yield part
    if queued:
        yield await start(turn, queued)


async def start(turn: Turn, queued: list[Running]) -> Draft:
    """Starts the first of some requests; the others wait."""
    first, *rest = queued
    flow = turn.mind.flows.flows[first.flow]
    own = await turn.own()
    if own.trouble and "order" in flow.slots:
        return Draft(turn.say(own.trouble), "ask", 1.0, flow=flow.name)
    if "order" in flow.slots and not own.orders:
        return Draft(turn.say("no_orders"), "ask", 1.0, flow=flow.name)
    dialogue = turn.dialogue.model_copy(update={"waiting": (*rest, *turn.dialogue.waiting)})
    engine = await turn.engine(dialogue, first.told)
    return drafted(engine.begin(first.told, flow, dialogue))


async def tell(turn: Turn, name: str, text: str) -> Draft:
    """The answer to a request that changes nothing."""
    if name == "order_status":
        return await telling.status(turn, text)
    if name == "recommend":
        return await telling.recommend(turn)
    return await telling.search(turn, text)


async def _beside(turn: Turn, request: Request) -> AsyncIterator[str | Draft]:
    """One of several requests, when it changes nothing."""
    if request.name is not None and request.name in turn.mind.flows.flows:
        yield await tell(turn, request.name, request.text)
        return
    if await _means_goods(turn, request.text):
        yield await telling.status(turn, request.text)
        return
    reading = await turn.read(request.text)
    # A greeting or thanks beside a request wants no answer of its own; a question that no article answers neither.
    if reading.intent in (KNOWLEDGE, OUT_OF_SCOPE) and (turn.ports.knowledge.fits(reading, turn.context()) >= _BESIDE):
        async for part in turn.ports.knowledge.answer(reading, turn.context()):
            yield part


async def _one(turn: Turn, request: Request, reading: Reading) -> AsyncIterator[str | Draft]:
    text, flows = request.text, turn.mind.flows.flows
    started = request.name if request.name in flows and not flows[request.name].telling else None
    name = started or await wanted(turn, text, reading)
    flow = flows.get(name)
    if turn.mind.flows.denied_by(plain_form(text)) and not turn.mind.acts.has("question", text):
        yield Draft(turn.mind.flows.say("nothing_changed", turn.language), "ask", 1.0)
    elif flow is not None and flow.telling:
        told = await tell(turn, name, text)
        if name != "product_search" or told.product_ids or flow.begins(text.casefold()):
            yield told
            return
        # It only sounded like a search: "do you have a shop in Lisbon" is for the articles.
        async for part in turn.ports.knowledge.answer(reading, turn.context()):
            yield part
    elif flow is not None:
        yield await start(turn, [Running(flow=flow.name, told=text)])
    elif name in ("greeting", "thanks"):
        yield Draft(turn.say(name), "ask", 1.0)
    else:
        async for part in turn.ports.knowledge.answer(reading, turn.context()):
            yield part


async def wanted(turn: Turn, text: str, reading: Reading) -> str:
    """The flow or intent of a message with one request."""
    # Only a text with digits can name an order, so only then are they read before it is known what is asked for.
    named = mentions(text, (await turn.own()).orders) if any(letter.isdigit() for letter in text) else Mentions()
    started = turn.mind.flows.started_by(plain_form(text))
    if started is None and named.own:
        # "Can I still cancel RX-2?": its policy tells, and nothing is done without a yes.
        started = turn.mind.flows.started_by(_WHETHER.sub("", plain_form(text)))
    if started is not None:
        return started.name
    if _means_order(turn, named, text, reading.intent) or await _means_goods(turn, text):
        return "order_status"
    if reading.by_rule or reading.intent in (KNOWLEDGE, OUT_OF_SCOPE):
        return reading.intent
    fits = turn.ports.knowledge.fits(reading, turn.context())
    if fits >= SURE:
        return KNOWLEDGE
    flow = turn.mind.flows.flows.get(reading.intent)
    if flow is not None and not flow.telling and not _surely(turn, flow, text, reading, fits):
        return KNOWLEDGE
    return reading.intent


async def _means_goods(turn: Turn, text: str) -> bool:
    """Whether the text asks where something is that the customer ordered: "where are my headphones"; "and the kettle?"
    after the answer of where another was."""
    words = turn.mind.understanding
    after = turn.what.conversation.last_action() == "order_status" and words.has("follow_up", text)
    if not (after or words.has("whereabouts", text) or words.has("not_here", text)) or (await turn.own()).trouble:
        return False
    return await telling.meant_order(turn, text) is not None


def _surely(turn: Turn, flow: Flow, text: str, reading: Reading, fits: float) -> bool:
    """Whether likeness alone may start a request that changes something: "can I return this" is a question first."""
    question = turn.mind.acts.has("question", text) and fits > 0
    return reading.confidence >= _STARTS and not question and flow.name == reading.intent


def _means_order(turn: Turn, named: Mentions, text: str, intent: str) -> bool:
    """Whether a number in the text asks where an order is, rather than how to do something with it."""
    if not named:
        return False
    if named.bare or turn.what.conversation.last_offer() == "order_number" or intent == "order_status":
        return True
    if turn.mind.understanding.has("order_actions", text):
        return False
    return bool(named.own) or any(turn.mind.understanding.has(words, text) for words in ("about_orders", "whereabouts"))
