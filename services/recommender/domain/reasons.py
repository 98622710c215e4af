"""Reasons in words. Each is said only when the evidence bears it out, so that a shopper can take it at its word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from rapport.events.recommendations import Reason
from services.recommender.domain.blend import Candidate
from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.sources.source import Evidence

# More would be read by nobody.
_MOST = 3


def reasons(candidate: Candidate, catalogue: Catalogue, language: str) -> tuple[Reason, ...]:
    """Why this product is in the list, the heaviest first; none for one that only fills it."""
    said = []
    for found, share in candidate.shares():
        text = sentence(found.evidence, catalogue, language)
        if text:
            kind, subject = found.evidence.kind, found.evidence.subject
            said.append(Reason(kind=kind, text=text, subject=subject, weight=round(share, 4)))
    return tuple(said[:_MOST])


def sentence(evidence: Evidence, catalogue: Catalogue, language: str) -> str:
    """One true sentence in English or, for any zh-…, Chinese; "" when there is nothing true to say."""
    if not evidence.notable:
        return ""
    chinese = language.partition("-")[0].lower() == "zh"
    return (_CHINESE if chinese else _ENGLISH)[evidence.kind](evidence, _title(evidence, catalogue, language))


def _title(evidence: Evidence, catalogue: Catalogue, language: str) -> str:
    """How a sentence names its subject: a product by its title, or by its id when it has left the catalogue."""
    product = catalogue.get(evidence.subject)
    return product.title(language) if product else evidence.subject


def _co_visited(evidence: Evidence, title: str) -> str:
    who = "Others" if evidence.shoppers > 1 else "Another shopper"
    did = "bought" if evidence.bought else "looked at"
    return f"{who} who {did} {title} also {did} this"


def _co_visited_zh(evidence: Evidence, title: str) -> str:
    who = "其他顾客" if evidence.shoppers > 1 else "另一位顾客"
    did = "购买" if evidence.bought else "浏览"
    return f"{did}“{title}”的{who}也{did}了这件商品"


def _date(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


Sentence = Callable[[Evidence, str], str]

_ENGLISH: dict[str, Sentence] = {
    "need": lambda evidence, _: f"Close to your interest in {evidence.subject}",
    "similar": lambda evidence, title: f"Similar to {title}" + (", which you looked at" if evidence.looked_at else ""),
    "co_visited": _co_visited,
    "trending": lambda evidence, _: f"{evidence.shoppers} shoppers looked at it today",
    "popular": lambda _evidence, _title: "Popular in this shop",
    "new_arrival": lambda evidence, _: f"New in the shop since {_date(evidence.at_ms)}",
}
_CHINESE: dict[str, Sentence] = {
    "need": lambda evidence, _: f"与您对“{evidence.subject}”的兴趣相近",
    "similar": lambda evidence, title: f"与{'您看过的' if evidence.looked_at else ''}“{title}”相似",
    "co_visited": _co_visited_zh,
    "trending": lambda evidence, _: f"今天有 {evidence.shoppers} 位顾客浏览",
    "popular": lambda _evidence, _title: "本店热门商品",
    "new_arrival": lambda evidence, _: f"{_date(evidence.at_ms)} 起新上架",
}
