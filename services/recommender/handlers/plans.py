"""What is searched for one customer, of all that is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapport.events.profiles import Need
from rapport.events.recommendations import Strategy
from services.recommender.domain.gaps import gaps
from services.recommender.domain.situation import Boards
from services.recommender.ports import Recollection, Vectors


@dataclass(frozen=True, slots=True)
class Plan:
    """What is looked up for one customer."""

    customer_id: str
    known: Recollection
    missing: Mapping[Strategy, str]
    needs: Sequence[Need]
    last: Vectors | None
    """[d] of the product looked at last."""
    wishes: Sequence[str]

    @classmethod
    def of(
        cls, customer_id: str, known: Recollection, items: Mapping[str, Vectors], space: str | None, boards: Boards
    ) -> Plan:
        """`items`: vectors of the products that the customers looked at last."""
        profile, vectors = known.profile, known.need_vectors
        missing = gaps(customer_id, profile, bool(known.recent), 0 if vectors is None else len(vectors), space, boards)
        usable = profile is not None and vectors is not None and "personalised" not in missing
        needs = profile.needs if profile and usable else ()
        last = items.get(known.recent[0]) if known.recent else None
        return cls(customer_id, known, missing, needs, last, known.wishes if known.wish_vectors is not None else ())

    @property
    def queries(self) -> list[Vectors]:
        """[n, d] each: the needs, the product looked at last, the wishes."""
        last = None if self.last is None else self.last[None]
        blocks = (self.known.need_vectors if self.needs else None, last, self.known.wish_vectors)
        return [block for block in blocks if block is not None and len(block)]
