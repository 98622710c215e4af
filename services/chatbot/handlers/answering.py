"""What to say to one message: understanding it, looking up what it asks for, drafting the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from rapport.events.catalog import in_language
from rapport.events.chat import ChatMessage
from rapport.ops.errors import RapportError, RetryableError
from rapport.serving.client import Role
from rapport.text.normalise import normalise
from services.chatbot.domain import orders as order_talk
from services.chatbot.domain.conversation import Conversation
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.languages import Language, reply_language
from services.chatbot.domain.mind import Mind
from services.chatbot.domain.recommendation import worded
from services.chatbot.domain.shelf import Question
from services.chatbot.domain.understanding import Intent
from services.chatbot.handlers.knowledge import Asked, knowledge_answer, surely_known
from services.chatbot.ports import Ports

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A customer's message and what is known around it."""

    message: ChatMessage
    conversation: Conversation
    language: Language


def heard(message: ChatMessage, conversation: Conversation, mind: Mind) -> Heard:
    hint = message.language or ""
    language = reply_language(message.text, hint, conversation.language, mind.manner.default_language)
    return Heard(message, conversation, language)


async def answer(what: Heard, ports: Ports, mind: Mind) -> AsyncIterator[str | Draft]:
    """Pieces of text where they come one by one, then the draft of the whole reply."""
    text, understanding = normalise(what.message.text), mind.understanding
    offer = what.conversation.last_offer()
    if not text or (offer is None and understanding.has("yes", text)):
        yield _say("empty", what, mind)
        return
    intent = understanding.by_rule(text)
    if intent == "handoff" or (offer == "handoff" and understanding.has("yes", text)):
        yield _say("handoff", what, mind)
        return
    # Only a text with digits can name an order, so only then are they read before it is known what is asked for.
    own = await _own_orders(what, ports) if any(letter.isdigit() for letter in text) else None
    named = order_talk.mentions(text, own) if own else order_talk.Mentions()
    asked = None
    if _means_order(named, text, offer, intent, mind):
        intent = "order_status"
    elif intent is None:
        asked = await _asked(what, text, ports, mind)
        intent = understanding.nearest(asked.alone.vector, asked.alone.space)
        if intent != "knowledge" and surely_known(what.conversation.tenant, asked, mind):
            intent = "knowledge"
    if intent == "knowledge":
        asked = asked or await _asked(what, text, ports, mind)
        async for part in knowledge_answer(what.conversation.tenant, asked, what.language, ports, mind):
            yield part
    elif intent == "order_status":
        yield order_talk.status(own or await _own_orders(what, ports), named, mind.phrases, what.language)
    elif intent == "recommend":
        yield await _recommend(what, ports, mind)
    else:
        yield _say(intent, what, mind)


def _say(phrase: str, what: Heard, mind: Mind) -> Draft:
    text = mind.phrases.say(phrase, what.language)
    return Draft(text, "handoff" if phrase == "handoff" else "ask", 1.0)


def _means_order(named: order_talk.Mentions, text: str, offer: str | None, intent: Intent | None, mind: Mind) -> bool:
    """Whether a number in the text asks where an order is, rather than how to do something with it."""
    if not named:
        return False
    if named.bare or offer == "order_number" or intent == "order_status":
        return True
    if mind.understanding.has("order_actions", text):
        return False
    return bool(named.own) or mind.understanding.has("about_orders", text)


async def _own_orders(what: Heard, ports: Ports) -> order_talk.Own:
    """The orders of the customer that the caller's token names; whatever the text says, nobody else's are read."""
    customer_id = what.message.customer_id
    if customer_id is None:
        return order_talk.Own(trouble="sign_in")
    try:
        return order_talk.Own(tuple(await ports.orders.of_customer(what.conversation.tenant, customer_id)))
    except RetryableError as error:
        log.warning("orders cannot be read", error=str(error))
        return order_talk.Own(trouble="orders_unavailable")


async def _recommend(what: Heard, ports: Ports, mind: Mind) -> Draft:
    tenant, language = what.conversation.tenant, what.language
    try:
        made = await ports.recommender.recommend(
            tenant, what.message.customer_id, language, mind.manner.recommended_items
        )
    except RapportError as error:
        log.warning("no recommendation", error=str(error))
        return Draft(mind.phrases.say("recommend_unavailable", language), "refuse", 1.0)
    products = ports.products.named(tenant, [item.product_id for item in made.items])
    titles = {product_id: in_language(product.title, language) for product_id, product in products.items()}
    return worded(made, titles, mind.phrases, language)


async def _asked(what: Heard, text: str, ports: Ports, mind: Mind) -> Asked:
    """The question alone, and joined to the one before where it may lean on that."""
    before = what.conversation.last_question()
    leaning = bool(before) and (mind.understanding.has("follow_up", text) or mind.understanding.has("pronoun", text))
    texts = [text, f"{before} {text}"] if leaning else [text]
    try:
        embedded = await ports.encoder.embed(texts, role=Role.QUERY, timeout_s=mind.manner.encoder_timeout_s)
        vectors, space = list(embedded.vectors), embedded.model
    except RetryableError as error:
        log.warning("the encoder gives nothing: words alone are compared", error=str(error))
        vectors, space = [None for _ in texts], ""
    language = reply_language(text, "", what.language, what.language)
    questions = [Question(part, language, vector, space) for part, vector in zip(texts, vectors, strict=True)]
    leans_first = leaning and mind.understanding.has("follow_up", text)
    return Asked(questions[0], questions[1] if leaning else None, leans_first)
