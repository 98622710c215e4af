"""Requests that change nothing and take one turn: where an order is, products found, products recommended."""

from __future__ import annotations

import structlog

from rapport.events.catalog import in_language
from rapport.events.orders import OrderUpdated
from rapport.ops.errors import RapportError
from services.chatbot.domain import orders as order_talk
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.entities.amounts import limit_in, without_limit
from services.chatbot.domain.entities.order_numbers import Mentions, mentions
from services.chatbot.domain.recommendation import worded
from services.chatbot.flows.search import best, found
from services.chatbot.flows.simple_slots import query_in
from services.chatbot.flows.which_order import order_in, points_back, spoken_of
from services.chatbot.handlers.turn import Turn

log = structlog.stdlib.get_logger(__name__)


async def status(turn: Turn, text: str) -> Draft:
    """Where the orders are that the text names or points back to, else the latest one."""
    own = await turn.own()
    named = mentions(text, own.orders)
    meant = None if named or own.trouble else await meant_order(turn, text)
    return order_talk.status(own, Mentions((meant,)) if meant else named, turn.mind.phrases, turn.language)


async def meant_order(turn: Turn, text: str) -> OrderUpdated | None:
    """The order that the text tells without its number: by what is in it, or as the one just spoken of."""
    around, flow = await turn.around(turn.dialogue), turn.mind.flows.flows["order_status"]
    found = order_in(text, flow, around)
    return found or (spoken_of(text, flow, around) if points_back(text) else None)


async def search(turn: Turn, text: str) -> Draft:
    """Products that fit the words, within the price; of equal ones those that the customer's needs speak for."""
    query = query_in(text, asked=False) or text
    limit = limit_in(query)
    words = without_limit(query)
    scored = turn.ports.products.search(turn.tenant, words)
    hits = best(scored, limit, await turn.needs(), turn.mind.manner.searched_items)
    return found(words.strip(), hits, turn.mind.flows, turn.language)


async def recommend(turn: Turn) -> Draft:
    tenant, language = turn.tenant, turn.language
    try:
        made = await turn.ports.recommender.recommend(
            tenant, turn.what.message.customer_id, language, turn.mind.manner.recommended_items
        )
    except RapportError as error:
        log.warning("no recommendation", error=str(error))
        return Draft(turn.say("recommend_unavailable"), "refuse", 1.0)
    products = turn.ports.products.named(tenant, [item.product_id for item in made.items])
    titles = {product_id: in_language(product.title, language) for product_id, product in products.items()}
    return worded(made, titles, turn.mind.phrases, language)
