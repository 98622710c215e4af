"""Is a reason true? Judged by what lies on clickstream.v1, never by what Rapport made of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.e2e.goods import BY_ID
from tests.e2e.page import Json
from tests.e2e.shopfront import Read

_LOOKS = ("rapport.product_viewed.v1", "rapport.product_clicked.v1")


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be known from outside."""

    needs: set[str]
    """Labels in the customer's published profile."""
    looks: dict[str, set[str]]
    """Products that each customer looked at. The tests' customers come once, today."""


def looks_of(clickstream: Iterable[Read]) -> dict[str, set[str]]:
    """By customer."""
    found: dict[str, set[str]] = defaultdict(set)
    for read in clickstream:
        # Other tests' products are not in this catalogue; some of their messages are no events at all.
        product = read.payload.get("product_id") if isinstance(read.payload, dict) else None
        if read.headers["ce_type"] in _LOOKS and isinstance(product, str) and product in BY_ID:
            found[read.key].add(product)
    return found


def untrue(item: Json, customer: str, facts: Facts) -> Iterator[str]:
    """Each reason of a recommended item that the facts do not bear out."""
    for reason in item["reasons"]:
        if not _holds(item["product_id"], reason, customer, facts):
            yield f"{item['product_id']}: {reason}"


def _holds(product: str, reason: Json, customer: str, facts: Facts) -> bool:
    subject, text = str(reason.get("subject", "")), str(reason["text"])
    match reason["kind"]:
        case "need":
            return subject in facts.needs and subject in text and BY_ID[product].kind == subject
        case "similar":
            like = BY_ID[subject]
            return subject in facts.looks[customer] and like.en in text and like.kind == BY_ID[product].kind
        case "co_visited":
            others = [who for who, seen in facts.looks.items() if who != customer and {product, subject} <= seen]
            said = "Others" if len(others) > 1 else "Another shopper"
            return bool(others) and text.startswith(said) and BY_ID[subject].en in text
        case "graph":
            like = BY_ID[subject]
            known = subject in facts.looks[customer] and like.en in text
            return known and _joined(reason["path"], product, like.kind == BY_ID[product].kind, facts)
        case "trending":
            today = sum(product in seen for seen in facts.looks.values())
            return re.match(r"\d+", text) is not None and int(text.split(maxsplit=1)[0]) == today
        case _:
            # No new arrivals: the tests' catalogue is the shop's first.
            return bool(reason["kind"] == "popular")


def _joined(path: list[str], product: str, same_kind: bool, facts: Facts) -> bool:
    """Whether the way in the graph is there: by what both are (the tests' brands and categories follow the kind), or by
    shoppers who looked at both."""
    if path[-1] != f"p:{product}":
        return False
    if len(path) == 3 and path[1].partition(":")[0] in ("category", "brand"):
        return same_kind
    steps = [{one.removeprefix("p:"), other.removeprefix("p:")} for one, other in pairwise(path)]
    return all(any(step <= seen for seen in facts.looks.values()) for step in steps)
