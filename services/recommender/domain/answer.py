"""From a situation to the list, its strategy by name, and why stronger strategies gave nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from rapport.events.recommendations import RankedItem, Strategy
from services.recommender.domain.adjusting import adjust
from services.recommender.domain.blend import Blend
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.features import Matrix, chosen_features
from services.recommender.domain.pool import Candidate, Pool
from services.recommender.domain.products import Product
from services.recommender.domain.ranking import FIXED, Assignment, Shadow, rank_all
from services.recommender.domain.reasons import reasons
from services.recommender.domain.rules import Admission, Policy, Wish
from services.recommender.domain.selection import Shortlist, choose, shortlisted
from services.recommender.domain.situation import Situation
from services.recommender.domain.sources.co_visited import tied
from services.recommender.domain.sources.similar import resembling
from services.recommender.domain.sources.source import NOTHING
from services.recommender.domain.sources.trending import trends

# Strongest first. An answer bears the name of the first that has a share in it.
CHAIN: tuple[Strategy, ...] = ("personalised", "co_visited", "graph", "trending", "popular", "catalogue")

_ITEMS = TypeAdapter(tuple[RankedItem, ...])
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
    shadow_scores: Shadow = field(default_factory=dict)

    @property
    def product_ids(self) -> list[str]:
        return [candidate.product_id for candidate in self.chosen]

    def features(self, situation: Situation) -> Matrix:
        """[items, features]: what a ranker is given of each."""
        return chosen_features(self.chosen, situation)


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before the last choice, for which the candidates' vectors are needed."""

    shortlist: Shortlist
    situation: Situation
    wish: Wish
    policy: Policy
    blend: Blend
    assignment: Assignment
    shadow_scores: Shadow

    def finished(self, vectors: Mapping[str, npt.NDArray[np.float32]], seed: str) -> Answer:
        """`vectors` of the shortlist's products; `seed` decides what is explored."""
        chosen = choose(self.shortlist, vectors, self.situation.catalogue, self.wish, self.policy, seed)
        return _answer(chosen, self.situation, self.blend, self.assignment, self.shadow_scores)


def drafts(asked: Sequence[tuple[Situation, Wish, Assignment]], policy: Policy, blend: Blend) -> list[Draft]:
    """One for each situation. Never empty while the catalogue holds something that may be shown."""
    pools = [blend.pool(situation) for situation, _, _ in asked]
    ranked = [(pool, situation, assignment) for pool, (situation, _, assignment) in zip(pools, asked, strict=True)]
    found = []
    for pool, (situation, wish, assignment), shadow in zip(pools, asked, rank_all(ranked), strict=True):
        admission = Admission(situation, wish, policy)
        shortlist = shortlisted(pool, adjust(pool, situation, admission, policy), admission, wish, policy)
        found.append(Draft(shortlist, situation, wish, policy, blend, assignment, shadow))
    return found


def rank(situation: Situation, product_ids: Sequence[str], blend: Blend, assignment: Assignment = FIXED) -> Answer:
    """The products in order of score, all of them, whether in stock or not: the caller shows them anyway. Those that no
    source knows keep the caller's order, at the end."""
    pool = blend.pool(situation).only(product_ids)
    (shadow,) = rank_all([(pool, situation, assignment)])
    scored = [pool.candidate(place) for place in pool.best().tolist()]
    unscored = [Candidate(product_id) for product_id in dict.fromkeys(product_ids) if product_id not in pool.place]
    return _answer([*scored, *unscored], situation, blend, assignment, shadow)


def similar(product: Product, situation: Situation, limit: int, language: str, blend: Blend) -> tuple[RankedItem, ...]:
    """What resembles a product, or goes with it by what shoppers do, and is on sale; else others of its category."""
    near, ties = situation.similar, situation.ties.get(product.product_id, ())
    likes = resembling(product.product_id, near, looked_at=False) if near else NOTHING
    behaviour = tied(product.product_id, ties, situation.boards.clock_ms)
    found = _in_order(blend.joined({"similar": likes, "co_visited": behaviour}))
    others = (Candidate(other) for other in situation.catalogue.shelf(product.shelf))
    return _on_sale(chain(found, others), situation, limit, language, without=product.product_id)


def trending(situation: Situation, limit: int, category: str, language: str, blend: Blend) -> tuple[RankedItem, ...]:
    """What is trending and on sale; empty when nothing is."""
    found = blend.joined({"trending": trends(situation.boards, situation.now_ms)})
    return _on_sale(_in_order(found), situation, limit, language, category)


def _on_sale(
    found: Iterable[Candidate], situation: Situation, limit: int, language: str, category: str = "", without: str = ""
) -> tuple[RankedItem, ...]:
    admission = Admission(situation, Wish(limit, category, frozenset({without})), Policy())
    shown: dict[str, Candidate] = {}
    for candidate in found:
        if len(shown) == limit:
            break
        if candidate.product_id not in shown and admission.showable(candidate.product_id):
            shown[candidate.product_id] = candidate
    return items(shown.values(), situation.catalogue, language)


def _in_order(pool: Pool) -> Iterator[Candidate]:
    return map(pool.candidate, pool.best().tolist())


def items(chosen: Iterable[Candidate], catalogue: Catalogue, language: str) -> tuple[RankedItem, ...]:
    """Candidates as they are shown to the outside."""
    # Checked all at once: one by one takes five times as long.
    return _ITEMS.validate_python([_item(candidate, catalogue, language) for candidate in chosen])


def _item(candidate: Candidate, catalogue: Catalogue, language: str) -> dict[str, Any]:
    shares = candidate.shares()
    return {
        "product_id": candidate.product_id,
        "score": round(candidate.score, 6),
        "reasons": reasons(shares, catalogue, language),
        "source_scores": {share.kind: round(share.score, 6) for share in shares},
        "propensity": round(candidate.propensity, 6),
    }


def _answer(
    chosen: Sequence[Candidate],
    situation: Situation,
    blend: Blend,
    assignment: Assignment,
    shadow_scores: Shadow,
) -> Answer:
    strategies = {source.name: source.strategy for source in blend.sources}
    used = {strategies[kind] for candidate in chosen for kind in candidate.kinds if kind in strategies}
    strategy: Strategy = next((name for name in CHAIN if name in used), "catalogue")
    before = CHAIN[: CHAIN.index(strategy)]
    fallbacks = tuple(f"{name}: {situation.gaps.get(name) or _NOTHING[name]}" for name in before)
    return Answer(chosen, strategy, fallbacks, assignment, shadow_scores)
