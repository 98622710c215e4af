"""From candidates in order to the list: what may be shown, not all of one kind, filled when there is too little."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.diversity import diverse
from services.recommender.domain.exploring import POOL, explored
from services.recommender.domain.pool import Candidate, Places, Pool
from services.recommender.domain.products import Product
from services.recommender.domain.rules import Admission, Policy, Standing, Wish

# Candidates that are compared with each other, for each place of the list.
_A_PLACE = 3


@dataclass(frozen=True, slots=True)
class Shortlist:
    """Candidates that may be shown, the best first, and those that only fill a list."""

    fresh: Sequence[Candidate]
    aside: Mapping[Standing, Sequence[Candidate]]
    admission: Admission

    @property
    def product_ids(self) -> list[str]:
        """Whose vectors tell how alike they are."""
        return [candidate.product_id for candidate in self.fresh]


def shortlisted(pool: Pool, order: Places, admission: Admission, wish: Wish, policy: Policy) -> Shortlist:
    """As many as the list can be chosen from, of the places in `order`. Products that the customer has just looked at
    are put aside: they know them, and the shop shows them as "recently viewed" anyway."""
    # A shelf that is full must not keep the others out; and as many again may be explored.
    enough = _A_PLACE * wish.limit + POOL
    fresh: list[Candidate] = []
    aside: dict[Standing, list[Candidate]] = {Standing.SEEN: [], Standing.BOUGHT: []}
    shelves: set[str] = set()
    most = _most(wish, policy)
    for place in order.tolist():
        if len(fresh) >= enough and len(shelves) * most >= wish.limit:
            break
        product = admission.showable(pool.product_ids[place])
        if product is None:
            continue
        standing = admission.standing(product)
        if standing is Standing.FRESH:
            fresh.append(pool.candidate(place))
            shelves.add(product.shelf)
        else:
            aside[standing].append(pool.candidate(place))
    return Shortlist(fresh, aside, admission)


def choose(
    shortlist: Shortlist,
    vectors: Mapping[str, npt.NDArray[np.float32]],
    catalogue: Catalogue,
    wish: Wish,
    policy: Policy,
    seed: str,
) -> list[Candidate]:
    """At most `wish.limit`. The list is filled, as far as it must be, from the catalogue, then with what was looked at;
    with what was bought only if there is nothing else at all. `seed` decides what is explored."""

    def shelf_of(product_id: str) -> str:
        product = catalogue.get(product_id)
        return product.shelf if product else ""

    best = diverse(
        shortlist.fresh, vectors, wish.limit, share=policy.diversity, shelf_of=shelf_of, most=_most(wish, policy)
    )
    taken = {candidate.product_id for candidate in best}
    others = [candidate for candidate in shortlist.fresh if candidate.product_id not in taken]
    chosen = explored(best, others, policy.explore, seed)
    return _filled(chosen, shortlist.aside, catalogue, shortlist.admission, wish.limit)


def _most(wish: Wish, policy: Policy) -> int:
    """Products that one shelf may have."""
    return wish.limit if wish.category else max(1, math.ceil(wish.limit * policy.most_of_a_category))


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
