"""Reasons in words. Each is said only when the evidence bears it out, so that a shopper can take it at its word."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from services.recommender.domain.catalogue import Catalogue
from services.recommender.domain.paths import path_sentence, subject_of
from services.recommender.domain.pool import Share
from services.recommender.domain.sources.source import Evidence

Told = dict[str, Any]
# More would be read by nobody.
_MOST = 3


def reasons(shares: Iterable[Share], catalogue: Catalogue, language: str) -> list[Told]:
    """Why a product is in the list, the heaviest first; none for one that only fills it. `shares`: what each source
    says, the heaviest first. As fields of `Reason`."""
    said: list[Told] = []
    for share in shares:
        if len(said) == _MOST:
            break
        evidence = share.evidence()
        if evidence.kind == "graph":
            text, subject = path_sentence(evidence.path, catalogue, language), subject_of(evidence.path)
        else:
            text, subject = sentence(evidence, catalogue, language), evidence.subject
        if text:
            weight = round(share.weight, 4)
            said.append(
                {"kind": evidence.kind, "text": text, "subject": subject, "path": evidence.path, "weight": weight}
            )
    return said


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
    did = "购买" if evidence.bought else "浏览"
    who = f"{did}了“{title}”的其他顾客" if evidence.shoppers > 1 else f"另一位{did}了“{title}”的顾客"
    return f"{who}也{did}了这件商品"


def _date(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def _new_zh(evidence: Evidence, _: str) -> str:
    day = _date(evidence.at_ms)
    return f"{day.year}年{day.month}月{day.day}日上架的新品"


Sentence = Callable[[Evidence, str], str]

_ENGLISH: dict[str, Sentence] = {
    "need": lambda evidence, _: f"Close to your interest in {evidence.subject}",
    "similar": lambda evidence, title: f"Similar to {title}" + (", which you looked at" if evidence.looked_at else ""),
    "co_visited": _co_visited,
    "trending": lambda evidence, _: f"{evidence.shoppers} shoppers looked at it today",
    "popular": lambda _evidence, _title: "Popular in this shop",
    "new_arrival": lambda evidence, _: f"New in the shop since {_date(evidence.at_ms)}",
    "wish": lambda _evidence, _title: "A likely next wish of yours",
    "promoted": lambda evidence, _: f"Part of {evidence.subject}",
    "item_item": lambda _, title: f"Often chosen by those who chose {title}",
    "factors": lambda _, title: f"Chosen by shoppers with a taste like yours, for {title} among others",
    "sequence": lambda _, title: f"Often next after {title}",
}
_CHINESE: dict[str, Sentence] = {
    "need": lambda evidence, _: f"符合您对“{evidence.subject}”的兴趣",
    "similar": lambda evidence, title: f"与{'您看过的' if evidence.looked_at else ''}“{title}”相似",
    "co_visited": _co_visited_zh,
    "trending": lambda evidence, _: f"今天有 {evidence.shoppers} 位顾客浏览过",
    "popular": lambda _evidence, _title: "本店热门商品",
    "new_arrival": _new_zh,
    "wish": lambda _evidence, _title: "您接下来可能想要的商品",
    "promoted": lambda evidence, _: f"参加“{evidence.subject}”活动",
    "item_item": lambda _, title: f"选择“{title}”的顾客也常选择这件商品",
    "factors": lambda _, title: f"喜好与您相近（例如同样喜欢“{title}”）的顾客的选择",
    "sequence": lambda _, title: f"顾客看过“{title}”之后常看这件商品",
}
