"""What a language model is asked about a customer, and what is taken of its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapport.events.profiles import ProfileUpdated
from services.recommender.domain.catalogue import Catalogue

# Wishes that are kept of an answer, and what a line may have: a product is named in a few words.
MOST_WISHES = 3
_FEWEST_LETTERS, _MOST_LETTERS = 3, 60
# What is told of the customer. Small models lose the thread in more.
_NEEDS, _RECENT, _BOUGHT = 3, 4, 2
_NUMBERING = re.compile(r"^[\s\-*•\d.)\]]+")
_SYSTEM = (
    "You work in a shop. You are told what a customer is interested in. Name three other kinds of products that the "
    "same customer would probably want next. One product in each line, two to five words, nothing else."
)


def questions(profile: ProfileUpdated, catalogue: Catalogue) -> list[tuple[str, str]]:
    """The turns (role, text) that ask for this customer's wishes; empty when nothing is known to ask by."""
    needs = [need.label for need in profile.needs[:_NEEDS]]
    recent = [product.title("en") for product in catalogue.named(profile.recent_product_ids[:_RECENT])]
    bought = [product.title("en") for product in catalogue.named(profile.purchased_product_ids[:_BOUGHT])]
    facts = [("Interests", needs), ("Looked at", recent), ("Bought", bought)]
    told = "\n".join(f"{name}: {', '.join(what)}" for name, what in facts if what)
    return [("system", _SYSTEM), ("user", told)] if told else []


def wishes_of(text: str, told: Sequence[str] = ()) -> list[str]:
    """The lines of an answer that can be products' names, without those that only repeat what was `told`."""
    known = {each.casefold() for each in told}
    found: dict[str, str] = {}
    for line in text.splitlines():
        wish = _NUMBERING.sub("", line).partition(":")[0].strip(" .,;\"'")
        if _FEWEST_LETTERS <= len(wish) <= _MOST_LETTERS and wish.casefold() not in known:
            found.setdefault(wish.casefold(), wish)
    return list(found.values())[:MOST_WISHES]
