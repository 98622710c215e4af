"""A message while a request is under way: an answer, a correction, a digression, another request, a change of mind."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.chatbot.domain.dialogue import Dialogue, Running
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.entities.order_numbers import mentions
from services.chatbot.domain.reading import Reading
from services.chatbot.domain.understanding import plain_form
from services.chatbot.flows.acts import Act
from services.chatbot.flows.engine import PATIENCE, Engine, Step
from services.chatbot.flows.splitting import request_of, split
from services.chatbot.handlers.conduct import called
from services.chatbot.handlers.fresh import SURE, tell
from services.chatbot.handlers.telling import meant_order
from services.chatbot.handlers.turn import Turn, drafted

# Slots whose answer names goods.
_NAMING = ("order", "items")
PLAIN: tuple[Act, ...] = ("everything", "drop", "yes", "no")


async def ongoing(turn: Turn, reading: Reading) -> AsyncIterator[str | Draft]:
    """Parts of the reply."""
    dialogue, active, acts = turn.dialogue, turn.dialogue.active, turn.mind.acts
    own = await turn.own()
    if active is None or own.trouble:
        yield Draft(turn.say(own.trouble or "empty"), "ask", 1.0)
        return
    engine = await turn.engine(dialogue, turn.text if active.asking in _NAMING else "")
    rest = acts.rest_after("yes", turn.text) if active.confirming else None
    # "Yes, but only if" is no yes: what was said is answered, and asked again.
    rest = None if rest and acts.rest_after("condition", rest) is not None else rest
    asks_where = rest is not None and await _asks_where(turn, rest)
    if rest and (
        asks_where or _other(turn, rest, active) or (acts.has("question", rest) and not acts.has("also", rest))
    ):
        confirmed = engine.confirm(dialogue)
        yield drafted(confirmed)
        async for part in _afterwards(turn, rest, confirmed.dialogue):
            yield part
    elif rest is not None and not acts.has("also", rest) and not engine.take(rest, dialogue).heard:
        yield drafted(engine.confirm(dialogue))
    else:
        async for part in _answered(turn, engine, active, reading):
            yield part


async def plainly(turn: Turn) -> Draft | None:
    """The answer to yes, no, never mind: what needs no reading. None for everything else."""
    acts, text, dialogue, active = turn.mind.acts, turn.text, turn.dialogue, turn.dialogue.active
    said = {act for act in PLAIN if acts.is_only(act, text)}
    if active is None or not said or (await turn.own()).trouble:
        return None
    engine = await turn.engine(dialogue)
    if "everything" in said:
        return drafted(engine.drop(dialogue, everything=True))
    if "drop" in said and not (active.asking == "reason" and engine.gives_reason(text)):
        return drafted(engine.drop(dialogue))
    if active.confirming and "yes" in said:
        return drafted(engine.confirm(dialogue))
    if "no" in said:
        return drafted(engine.change(dialogue) if active.confirming else engine.drop(dialogue))
    return None


async def _answered(turn: Turn, engine: Engine, active: Running, reading: Reading) -> AsyncIterator[str | Draft]:
    dialogue, text = turn.dialogue, turn.text
    other = _other(turn, text, active) or ("order_status" if await _asks_where(turn, text) else None)
    if other is not None:
        async for part in _other_request(turn, engine, other):
            yield part
        return
    step = engine.take(text, dialogue)
    fits = turn.ports.knowledge.fits(reading, turn.context())
    if (step.heard or _moved(step, dialogue)) and not _asks_beside(turn, active, fits):
        yield drafted(step)
        return
    if fits > 0 and not turn.mind.acts.is_only("yes", text) and (turn.mind.acts.has("question", text) or fits >= SURE):
        async for part in turn.ports.knowledge.answer(reading, turn.context()):
            yield part
        yield drafted(engine.repeat(dialogue, unclear=False))
    elif active.tries + 1 >= PATIENCE:
        yield called(turn, "low_confidence")
    elif step.texts and step.asks == active.asking and len(step.texts) > 1:
        yield drafted(step)  # it says what is wrong with the answer: an order number that is none of theirs
    elif active.confirming and turn.mind.acts.rest_after("no", text) is not None:
        yield drafted(engine.change(dialogue, unclear=True))
    else:
        yield drafted(engine.repeat(dialogue, unclear=True))


async def _other_request(turn: Turn, engine: Engine, name: str) -> AsyncIterator[str | Draft]:
    """Another request in between: told at once, or begun while the present one waits."""
    flow = turn.mind.flows.flows[name]
    if flow.telling:
        yield await tell(turn, name, turn.text)
        yield drafted(engine.repeat(turn.dialogue, unclear=False))
    else:
        active = turn.dialogue.active
        gives_up = active is not None and engine.flow(active).denied(plain_form(turn.text))
        instead = gives_up or turn.mind.acts.has("instead", turn.text)
        yield drafted(engine.begin(turn.text, flow, turn.dialogue, instead=instead))


async def _afterwards(turn: Turn, text: str, dialogue: Dialogue) -> AsyncIterator[str | Draft]:
    """What was said beside the yes."""
    name = request_of(text, turn.mind.flows, turn.mind.understanding.by_rule)
    flow = turn.mind.flows.flows.get(name or "")
    if flow is not None and flow.telling:
        yield await tell(turn, flow.name, text)
    elif flow is not None:
        yield drafted((await turn.engine(dialogue)).begin(text, flow, dialogue))
    elif await _asks_where(turn, text):
        yield await tell(turn, "order_status", text)
    else:
        reading = await turn.read(text)
        async for part in turn.ports.knowledge.answer(reading, turn.context()):
            yield part


def _other(turn: Turn, text: str, active: Running) -> str | None:
    """A request other than the one under way that the words ask for outright."""
    flows = turn.mind.flows
    asked = [request.name for request in split(text, flows, turn.mind.acts, turn.mind.understanding.by_rule)]
    name = next((one for one in asked if one in flows.flows and one != active.flow), None)
    if name is None:
        return None
    # "Where is it going?" beside an address, "I want a refund to PayPal" while money is the question.
    if active.flow in ("return", "exchange") and name == "refund" and active.asking == "refund_to":
        return None
    return name


async def _asks_where(turn: Turn, text: str) -> bool:
    """Whether the text asks where an order is that it names, by number or by what is in it."""
    if not turn.mind.understanding.has("whereabouts", text):
        return False
    named = mentions(text, (await turn.own()).orders)
    return bool(named.own) or await meant_order(turn, text) is not None


def _moved(step: Step, before: Dialogue) -> bool:
    """Whether the request ended or another began."""
    return step.dialogue.active is None or len(step.dialogue.waiting) != len(before.waiting)


def _asks_beside(turn: Turn, active: Running, fits: float) -> bool:
    """Whether the message is a question to the shop although a word of it could be an answer."""
    asked = turn.mind.acts.has("question", turn.text)
    return asked and not active.confirming and fits >= SURE
