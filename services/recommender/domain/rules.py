"""What may be shown, and a list that is not all of one kind."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain, islice

from services.recommender.domain.blend import Candidate
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.products import Product
from services.recommender.domain.situation import Situation


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller asks for."""

    limit: int
    category: str = ""
    """Empty: all."""
    exclude: frozenset[str] = frozenset()
    language: str = ""
    """Of the reasons (BCP 47); empty: the customer's, or the shop's."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The shop's rules."""

    repeat_categories: frozenset[str] = frozenset()
    """Categories that people buy again (case-folded): there, what was bought may be recommended."""
    most_of_a_category: float = 0.5
    """Largest share of the list that one category may have while there is something else to show."""


class Standing(Enum):
    """What a customer has to do with a product."""

    FRESH = "nothing yet"
    SEEN = "looked at it lately"
    BOUGHT = "has it"


class Admission:
    """Which products an answer may hold."""

    def __init__(self, situation: Situation, wish: Wish, policy: Policy) -> None:
        self._catalogue: Catalogue = situation.catalogue
        self._wish, self._policy = wish, policy
        self.bought, self.recent = situation.bought, situation.looked_at

    def showable(self, product_id: str) -> Product | None:
        """The product, when it is in stock, not hidden, and what the caller asked for."""
        product = self._catalogue.get(product_id)
        if product is None or not product.available or product_id in self._wish.exclude:
            return None
        return product if not self._wish.category or product.within(self._wish.category) else None

    def standing(self, product: Product) -> Standing:
        """What the customer has to do with it. Nothing counts as bought that one buys again."""
        again = self._policy.repeat_categories
        if product.product_id in self.bought and not any(part.casefold() in again for part in product.category):
            return Standing.BOUGHT
        return Standing.SEEN if product.product_id in self.recent else Standing.FRESH


def select(ranked: Iterable[Candidate], situation: Situation, wish: Wish, policy: Policy) -> list[Candidate]:
    """At most `wish.limit` of the candidates, in their order, then whatever fills the list.

    Products that the customer has just looked at stay out: they know them, and the shop shows them as "recently viewed"
    anyway. The list is filled, as far as it must be, with candidates held back for diversity, then from the catalogue,
    then with what was looked at; with what was bought only if there is nothing else at all.
    """
    admission = Admission(situation, wish, policy)
    most = wish.limit if wish.category else max(1, math.ceil(wish.limit * policy.most_of_a_category))
    chosen: list[Candidate] = []
    held_back: list[Candidate] = []
    aside: dict[Standing, list[Candidate]] = {Standing.SEEN: [], Standing.BOUGHT: []}
    shelves: Counter[str] = Counter()
    for candidate in ranked:
        if len(chosen) == wish.limit:
            return chosen
        product = admission.showable(candidate.product_id)
        if product is None:
            continue
        standing = admission.standing(product)
        if standing in aside:
            aside[standing].append(candidate)
        elif product.shelf and shelves[product.shelf] >= most:
            held_back.append(candidate)
        else:
            shelves[product.shelf] += 1
            chosen.append(candidate)
    return _filled([*chosen, *held_back][: wish.limit], aside, situation.catalogue, admission, wish.limit)


def _filled(
    chosen: list[Candidate],
    aside: Mapping[Standing, Sequence[Candidate]],
    catalogue: Catalogue,
    admission: Admission,
    limit: int,
) -> list[Candidate]:
    known = {candidate.product_id for candidate in (*chosen, *aside[Standing.SEEN], *aside[Standing.BOUGHT])}

    def more(wanted: Standing, products: Iterable[Product]) -> Iterator[Candidate]:
        """Those that no source found."""
        for product in products:
            fits = product.product_id not in known and admission.standing(product) is wanted
            if fits and admission.showable(product.product_id):
                yield Candidate(product.product_id)

    chosen += islice(more(Standing.FRESH, catalogue.in_turn()), limit - len(chosen))
    seen = more(Standing.SEEN, catalogue.named(admission.recent))
    chosen += islice(chain(aside[Standing.SEEN], seen), limit - len(chosen))
    if not chosen:
        chosen += islice(chain(aside[Standing.BOUGHT], more(Standing.BOUGHT, catalogue.named(admission.bought))), limit)
    return chosen
