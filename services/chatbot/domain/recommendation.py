"""A recommendation in words: titles and true reasons, as the recommender gave them."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.events.chat import Source
from rapport.events.recommendations import RecommendationMade
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.languages import Language
from services.chatbot.domain.phrases import Phrases


def worded(made: RecommendationMade, titles: Mapping[str, str], phrases: Phrases, language: Language) -> Draft:
    """The items whose title is known (by product id), in their order; the others are delisted by now."""
    items = [item for item in made.items if item.product_id in titles]
    if not items:
        return Draft(phrases.say("recommend_none", language), "refuse", 1.0)
    lines = [phrases.say("recommend", language)]
    sources = [Source(kind="recommendation", id=made.recommendation_id, title=made.strategy)]
    for rank, item in enumerate(items, start=1):
        title, reason = titles[item.product_id], item.reasons[0].text if item.reasons else ""
        name = "recommend_line" if reason else "recommend_line_bare"
        lines.append(phrases.say(name, language, rank=rank, title=title, reason=reason))
        sources.append(Source(kind="product", id=item.product_id, title=title, quote=reason, score=item.score))
    shown = tuple(item.product_id for item in items)
    return Draft("\n".join(lines), "recommend", 1.0, sources=tuple(sources), product_ids=shown)
