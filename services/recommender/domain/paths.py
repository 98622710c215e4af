"""A way through the product graph in words."""

from __future__ import annotations

from collections.abc import Sequence

from services.recommender.domain.catalogue import Catalogue

_PRODUCT = "p:"


def subject_of(path: Sequence[str]) -> str:
    """The product that the customer looked at, where the way begins."""
    return path[0].removeprefix(_PRODUCT) if path else ""


def path_sentence(path: Sequence[str], catalogue: Catalogue, language: str) -> str:
    """One true sentence in English or Chinese; "" for a way that cannot be told in one."""
    chinese = language.partition("-")[0].lower() == "zh"
    names = [_name(node, catalogue, language) for node in path]
    if len(path) == 2:
        return _direct(path, names, catalogue, chinese)
    if len(path) == 3 and not path[1].startswith(_PRODUCT):
        return _shared(path[1], names, chinese)
    if len(path) == 3:
        first, through, _ = names
        return f"与“{through}”相关，而“{through}”又与您看过的“{first}”相关" if chinese else (
            f"Goes with {through}, which goes with {first}, which you looked at"
        )  # fmt: skip
    return ""


def _direct(path: Sequence[str], names: Sequence[str], catalogue: Catalogue, chinese: bool) -> str:
    """By the shop's own word, or by what shoppers do."""
    one, other = (node.removeprefix(_PRODUCT) for node in path)
    seed, found = catalogue.get(one), catalogue.get(other)
    title = names[0]
    if seed and found and (other in seed.complements or one in found.complements):
        return f"可与您看过的“{title}”搭配" if chinese else f"Complements {title}, which you looked at"
    if seed and found and (other in seed.substitutes or one in found.substitutes):
        return f"可替代您看过的“{title}”" if chinese else f"An alternative to {title}, which you looked at"
    return f"常与您看过的“{title}”一起被浏览或购买" if chinese else f"Goes with {title}, which you looked at"


def _shared(concept: str, names: Sequence[str], chinese: bool) -> str:
    """By what both have."""
    kind, _, value = concept.partition(":")
    title = names[0]
    if kind == "category":
        return f"与您看过的“{title}”同属“{value}”类" if chinese else f"In {value}, like {title}, which you looked at"
    if kind == "brand":
        return f"与您看过的“{title}”同为“{value}”品牌" if chinese else f"By {value}, like {title}, which you looked at"
    if chinese:
        return f"{kind}与您看过的“{title}”相同：{value}"
    return f"{kind.capitalize()}: {value}, like {title}, which you looked at"


def _name(node: str, catalogue: Catalogue, language: str) -> str:
    if not node.startswith(_PRODUCT):
        return node.partition(":")[2]
    product = catalogue.get(node.removeprefix(_PRODUCT))
    return product.title(language) if product else node.removeprefix(_PRODUCT)
