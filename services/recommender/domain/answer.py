"""From a situation to the list, its strategy by name, and why stronger strategies gave nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rapport.events.recommendations import RankedItem, Strategy
from services.recommender.domain.adjusting import adjusted
from services.recommender.domain.blend import Blend, Candidate, ordered
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.products import Product
from services.recommender.domain.ranking import FIXED, Assignment, ranked
from services.recommender.domain.reasons import reasons
from services.recommender.domain.rules import Admission, Policy, Wish
from services.recommender.domain.selection import Shortlist, choose, shortlisted
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.co_visited import tied
from services.recommender.domain.sources.similar import resembling
from services.recommender.domain.sources.trending import trends

# Strongest first. An answer bears the name of the first that has a share in it.
CHAIN: tuple[Strategy, ...] = ("personalised", "co_visited", "graph", "trending", "popular", "catalogue")

_NOTHING: dict[Strategy, str] = {
    "personalised": "nothing near the customer's needs may be shown",
    "co_visited": "nothing goes with what the customer looked at",
    "graph": "nothing is related to what the customer looked at",
    "trending": "nothing is trending",
    "popular": "nothing has been looked at or bought yet",
}


@dataclass(frozen=True, slots=True)
class Answer:
    chosen: Sequence[Candidate]
    """In order of display."""
    strategy: Strategy
    fallbacks: tuple[str, ...]
    assignment: Assignment = FIXED
    shadow_scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By model that was scored beside, then by product."""

    @property
    def product_ids(self) -> list[str]:
        return [candidate.product_id for candidate in self.chosen]


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before the last choice, for which the candidates' vectors are needed."""

    shortlist: Shortlist
    situation: Situation
    wish: Wish
    policy: Policy
    blend: Blend
    assignment: Assignment
    shadow_scores: Mapping[str, Mapping[str, float]]

    def finished(self, vectors: Mapping[str, npt.NDArray[np.float32]], seed: str) -> Answer:
        """`vectors` of the shortlist's products; `seed` decides what is explored."""
        chosen = choose(self.shortlist, vectors, self.situation.catalogue, self.wish, self.policy, seed)
        return _answer(chosen, self.situation, self.blend, self.assignment, self.shadow_scores)


def draft(situation: Situation, wish: Wish, policy: Policy, blend: Blend, assignment: Assignment = FIXED) -> Draft:
    """Never empty while the catalogue holds something that may be shown."""
    admission = Admission(situation, wish, policy)
    found = ranked(blend.candidates(situation), situation, assignment)
    moved = adjusted(found.candidates, situation, admission, policy)
    shortlist = shortlisted(moved, admission, wish, policy)
    return Draft(shortlist, situation, wish, policy, blend, assignment, found.shadow_scores)


def rank(situation: Situation, product_ids: Sequence[str], blend: Blend, assignment: Assignment = FIXED) -> Answer:
    """The products in order of score, all of them, whether in stock or not: the caller shows them anyway. Those that no
    source knows keep the caller's order, at the end."""
    wanted = {product_id: Candidate(product_id) for product_id in product_ids}
    wanted |= {found.product_id: found for found in blend.candidates(situation) if found.product_id in wanted}
    scored = ordered(candidate for candidate in wanted.values() if candidate.found)
    unscored = [wanted[product_id] for product_id in dict.fromkeys(product_ids) if not wanted[product_id].found]
    found = ranked(scored, situation, assignment)
    return _answer([*found.candidates, *unscored], situation, blend, assignment, found.shadow_scores)


def similar(product: Product, situation: Situation, limit: int, language: str, blend: Blend) -> tuple[RankedItem, ...]:
    """What resembles a product, or goes with it by what shoppers do, and is on sale; else others of its category."""
    near, ties = situation.similar, situation.ties.get(product.product_id, ())
    likes = resembling(product.product_id, near, looked_at=False) if near else ()
    found = blend.joined(likes, tied(product.product_id, ties, situation.boards.clock_ms))
    found += [Candidate(other) for other in situation.catalogue.shelf(product.shelf)]
    return _on_sale(found, situation, limit, language, without=product.product_id)


def trending(situation: Situation, limit: int, category: str, language: str, blend: Blend) -> tuple[RankedItem, ...]:
    """What is trending and on sale; empty when nothing is."""
    found = blend.joined(trends(situation.boards, situation.now_ms))
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
            propensity=round(candidate.propensity, 6),
        )
        for candidate in chosen
    )


def _answer(
    chosen: Sequence[Candidate],
    situation: Situation,
    blend: Blend,
    assignment: Assignment,
    shadow_scores: Mapping[str, Mapping[str, float]],
) -> Answer:
    strategies = {source.name: source.strategy for source in blend.sources}
    used = {strategies[kind] for candidate in chosen for kind in candidate.found if kind in strategies}
    strategy: Strategy = next((name for name in CHAIN if name in used), "catalogue")
    before = CHAIN[: CHAIN.index(strategy)]
    fallbacks = tuple(f"{name}: {situation.gaps.get(name) or _NOTHING[name]}" for name in before)
    return Answer(chosen, strategy, fallbacks, assignment, shadow_scores)
