"""Products found for words, as an answer."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rapport.events.catalog import ProductUpserted
from rapport.events.chat import Source
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.languages import Language
from services.chatbot.domain.words import content_words
from services.chatbot.flows.around import variant_name
from services.chatbot.flows.spec import Flows

# Share of the query's information below which a product only shares a chance word with it.
_LEAST = 0.2
# Next to the best hit, what has less than this part of its score is another thing.
_NEAR = 0.6
# What a need of the customer adds to a product that its words describe.
_NEED = 0.05


def best(
    scored: Sequence[tuple[ProductUpserted, float]], limit: Decimal | None, needs: Sequence[str], most: int
) -> list[tuple[ProductUpserted, float]]:
    """The products to show, best first: `limit` is a price, `needs` break ties."""
    wanted = {word for need in needs for word in content_words(need)}
    affordable = [
        (product, score + _NEED * _speaks_for(product, wanted))
        for product, score in scored
        if score >= _LEAST and (limit is None or (product.price is not None and product.price <= limit))
    ]
    ranked = sorted(affordable, key=lambda pair: (-pair[1], pair[0].product_id))[:most]
    return [pair for pair in ranked if pair[1] >= _NEAR * ranked[0][1]]


def found(query: str, hits: Sequence[tuple[ProductUpserted, float]], flows: Flows, language: Language) -> Draft:
    """The hits by title and price; without any, honestly none."""
    if not hits:
        return Draft(flows.say("search_none", language, query=query), "product_search", 1.0, flow="product_search")
    lines, sources = [flows.say("search_found", language)], []
    for rank, (product, score) in enumerate(hits, start=1):
        title = variant_name(product, language)
        price = f"{product.price:.2f} {product.currency or ''}".strip() if product.price is not None else ""
        name = "search_line" if price else "search_line_bare"
        lines.append(flows.say(name, language, rank=rank, title=title, price=price))
        sources.append(Source(kind="product", id=product.product_id, title=title, quote=price, score=round(score, 4)))
    ids = tuple(product.product_id for product, _ in hits)
    return Draft("\n".join(lines), "product_search", 1.0, tuple(sources), ids, flow="product_search")


def _speaks_for(product: ProductUpserted, wanted: set[str]) -> bool:
    told = [*product.title.values(), *product.category]
    return any(word in wanted for text in told for word in content_words(text))
