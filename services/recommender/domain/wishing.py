"""What a language model is asked about a customer, and what is taken of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapport.events.profiles import ProfileUpdated
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.products import Product
from services.recommender.domain.relevance import Level

# Wishes that are kept of an answer, and what a line may have: a product is named in a few words.
MOST_WISHES = 3
_FEWEST_LETTERS, _MOST_LETTERS = 3, 60
# Kinds of products that are told of the customer. Small models lose the thread in more, and in products' full titles.
_TOLD, _RECENT, _BOUGHT = 4, 4, 2
# Standard deviations (`relevance`) above which a product goes with what the customer looks at. Of a small model's lines
# that came to a product below it hardly one was right, of those above it two in three.
_RELATED = 1.0
_NUMBERING = re.compile(r"^[\s\-*•\d.)\]]+")
_SYSTEM = (
    "You work in a shop. Name three other kinds of products that go with what a customer looked at. One in each line, "
    "nothing else."
)
# Without them a small model repeats what it was told, in a sentence.
_EXAMPLES = (
    ("Looked at: Camping tents, Sleeping bags", "Camping stoves\nFlasks\nBackpacks"),
    ("Looked at: Guitars", "Guitar strings\nTuners\nSheet music"),
)
_PARROTED = tuple(line for _, answer in _EXAMPLES for line in answer.splitlines())


@dataclass(frozen=True, slots=True)
class Question:
    """What a language model is asked about one customer."""

    turns: Sequence[tuple[str, str]]
    """Role and text."""
    told: Sequence[str]
    """Kinds of products that the customer knows: no wishes."""


def question(profile: ProfileUpdated, catalogue: Catalogue) -> Question | None:
    """About this customer; None when nothing is known to ask by."""
    shelves = [product.shelf for product in catalogue.named(profile.recent_product_ids[:_RECENT])]
    looked = _distinct((*(need.label for need in profile.needs), *shelves))[:_TOLD]
    bought = _distinct(product.shelf for product in catalogue.named(profile.purchased_product_ids[:_BOUGHT]))
    facts = [("Looked at", looked), ("Bought", bought)]
    text = "\n".join(f"{name}: {', '.join(what)}" for name, what in facts if what)
    if not text:
        return None
    turns = [("system", _SYSTEM)]
    for asked, answered in _EXAMPLES:
        turns += [("user", asked), ("assistant", answered)]
    return Question([*turns, ("user", text)], [*looked, *bought])


def wishes_of(text: str, told: Sequence[str] = ()) -> list[str]:
    """The lines of an answer that can be products' names, without those that repeat what was `told` or an example."""
    known = {each.casefold() for each in (*told, *_PARROTED)}
    found: dict[str, str] = {}
    for line in text.splitlines():
        wish = _NUMBERING.sub("", line).partition(":")[0].strip(" .,;\"'")
        if _FEWEST_LETTERS <= len(wish) <= _MOST_LETTERS and wish.casefold() not in known:
            found.setdefault(wish.casefold(), wish)
    return list(found.values())[:MOST_WISHES]


def usable(nearest: Product, told: Sequence[str], level: Level, cosine: float) -> bool:
    """Whether a wish says something new and true, by the product that it comes to: none of the kinds that were `told`
    (the customer's needs find those anyway), and one that goes with what they look at, whose `cosine` to it stands out
    from `level`."""
    return nearest.shelf.casefold() not in map(str.casefold, told) and level.above(cosine) >= _RELATED


def _distinct(kinds: Iterable[str]) -> list[str]:
    """Whatever their case, in their order."""
    found: dict[str, str] = {}
    for kind in filter(None, kinds):
        found.setdefault(kind.casefold(), kind)
    return list(found.values())
