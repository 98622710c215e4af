"""From a situation to the list, its strategy by name, and why stronger strategies gave nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapport.events.recommendations import RankedItem, Strategy
from services.recommender.domain.blend import SOURCES, Candidate, blended, candidates, ordered
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.products import Product
from services.recommender.domain.reasons import reasons
from services.recommender.domain.rules import Admission, Policy, Wish, select
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.co_visited import tied
from services.recommender.domain.sources.similar import resembling
from services.recommender.domain.sources.trending import trends

# Strongest first. An answer bears the name of the first that has a share in it.
CHAIN: tuple[Strategy, ...] = ("personalised", "co_visited", "trending", "popular", "catalogue")
_STRATEGY_OF = {source.name: source.strategy for source in SOURCES}

_NOTHING: dict[Strategy, str] = {
    "personalised": "nothing near the customer's needs may be shown",
    "co_visited": "nothing goes with what the customer looked at",
    "trending": "nothing is trending",
    "popular": "nothing has been looked at or bought yet",
}


@dataclass(frozen=True, slots=True)
class Answer:
    items: tuple[RankedItem, ...]
    strategy: Strategy
    fallbacks: tuple[str, ...]


def recommend(situation: Situation, wish: Wish, policy: Policy) -> Answer:
    """Never empty while the catalogue holds something that may be shown."""
    chosen = select(candidates(situation), situation, wish, policy)
    return _answer(chosen, situation, wish.language)


def rank(situation: Situation, product_ids: Sequence[str], language: str) -> Answer:
    """The products in order of score, all of them, whether in stock or not: the caller shows them anyway. Those that no
    source knows keep the caller's order, at the end."""
    wanted = {product_id: Candidate(product_id) for product_id in product_ids}
    wanted |= {found.product_id: found for found in candidates(situation) if found.product_id in wanted}
    scored = ordered(candidate for candidate in wanted.values() if candidate.found)
    unscored = [wanted[product_id] for product_id in dict.fromkeys(product_ids) if not wanted[product_id].found]
    return _answer([*scored, *unscored], situation, language)


def similar(product: Product, situation: Situation, limit: int, language: str) -> tuple[RankedItem, ...]:
    """What resembles a product, or goes with it by what shoppers do, and is on sale; else others of its category."""
    near, ties = situation.similar, situation.ties.get(product.product_id, ())
    likes = resembling(product.product_id, near, looked_at=False) if near else ()
    found = blended(likes, tied(product.product_id, ties, situation.boards.clock_ms))
    found += [Candidate(other) for other in situation.catalogue.shelf(product.shelf)]
    return _on_sale(found, situation, limit, language, without=product.product_id)


def trending(situation: Situation, limit: int, category: str, language: str) -> tuple[RankedItem, ...]:
    """What is trending and on sale; empty when nothing is."""
    found = blended(trends(situation.boards, situation.now_ms))
    return _on_sale(found, situation, limit, language, category)


def _on_sale(
    found: Iterable[Candidate], situation: Situation, limit: int, language: str, category: str = "", without: str = ""
) -> tuple[RankedItem, ...]:
    admission = Admission(situation, Wish(limit, category, frozenset({without})), Policy())
    once: dict[str, Candidate] = {}
    for candidate in found:
        once.setdefault(candidate.product_id, candidate)
    shown = [candidate for candidate in once.values() if admission.showable(candidate.product_id)]
    return items(shown[:limit], situation.catalogue, language)


def items(chosen: Iterable[Candidate], catalogue: Catalogue, language: str) -> tuple[RankedItem, ...]:
    """Candidates as they are shown to the outside."""
    return tuple(
        RankedItem(
            product_id=candidate.product_id,
            score=round(candidate.score, 6),
            reasons=reasons(candidate, catalogue, language),
            source_scores={kind: round(found.score, 6) for kind, found in candidate.found.items()},
        )
        for candidate in chosen
    )


def _answer(chosen: Sequence[Candidate], situation: Situation, language: str) -> Answer:
    used = {_STRATEGY_OF[kind] for candidate in chosen for kind in candidate.found}
    strategy: Strategy = next((name for name in CHAIN if name in used), "catalogue")
    before = CHAIN[: CHAIN.index(strategy)]
    fallbacks = tuple(f"{name}: {situation.gaps.get(name) or _NOTHING[name]}" for name in before)
    return Answer(items(chosen, situation.catalogue, language), strategy, fallbacks)
