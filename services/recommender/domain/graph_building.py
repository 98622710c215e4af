"""The product graph from the catalogue and from what shoppers do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from scipy import sparse

from services.recommender.domain.decay import CO_VISITS
from services.recommender.domain.graph import ProductGraph
from services.recommender.domain.products import Product
from services.recommender.domain.situation import Tie

# How much each kind of edge leads on. What shoppers do and what the shop says outweighs what products share; a row's
# weights are then scaled to sum to 1, so a category of thousands leads nowhere in particular.
_COMPLEMENT, _SUBSTITUTE, _TOGETHER = 1.0, 0.7, 1.0
_CATEGORY, _BRAND, _ATTRIBUTE = 0.3, 0.15, 0.1
# Visits at which a tie of behaviour has half its weight, as in the co-visitation source.
_HALF_AT = 3.0
# Attribute values that more products share say nothing of any of them ("colour: black"), and cost their number.
_MOST_SHARING = 500

Edge = tuple[str, str, float]


def build(products: Iterable[Product], ties: Mapping[str, Sequence[Tie]], at_ms: int) -> ProductGraph:
    """The graph of a catalogue. `ties`: by product, what shoppers tied it to; `at_ms`: the newest behaviour's time."""
    goods = {product.product_id: product for product in products}
    concepts: dict[str, list[str]] = {}
    for product in goods.values():
        for concept in _concepts(product):
            concepts.setdefault(concept, []).append(product.product_id)
    edges = chain(_shared(concepts), _said(goods), _done(goods, ties, at_ms))
    return _graph(list(goods), edges)


def _concepts(product: Product) -> Iterator[str]:
    if product.shelf:
        yield f"category:{product.shelf}"
    if product.brand:
        yield f"brand:{product.brand}"
    for name, value in product.attributes.items():
        if isinstance(value, str) and value:
            yield f"{name}:{value}"


def _shared(concepts: Mapping[str, Sequence[str]]) -> Iterator[Edge]:
    for concept, product_ids in concepts.items():
        if 1 < len(product_ids) <= _MOST_SHARING:
            kind = concept.partition(":")[0]
            weight = {"category": _CATEGORY, "brand": _BRAND}.get(kind, _ATTRIBUTE)
            for product_id in product_ids:
                yield _of(product_id), concept, weight


def _said(goods: Mapping[str, Product]) -> Iterator[Edge]:
    for product in goods.values():
        for others, weight in ((product.complements, _COMPLEMENT), (product.substitutes, _SUBSTITUTE)):
            for other in others:
                if other in goods:
                    yield _of(product.product_id), _of(other), weight


def _done(goods: Mapping[str, Product], ties: Mapping[str, Sequence[Tie]], at_ms: int) -> Iterator[Edge]:
    # A tie is stored at both ends, unless one of them has stronger ones: one edge of the two is enough.
    seen: set[tuple[str, str]] = set()
    for product_id, others in ties.items():
        for tie in others:
            pair = (min(product_id, tie.product_id), max(product_id, tie.product_id))
            if pair not in seen and product_id in goods and tie.product_id in goods:
                seen.add(pair)
                worth = CO_VISITS.worth(tie.mark, at_ms)
                yield _of(product_id), _of(tie.product_id), _TOGETHER * worth / (worth + _HALF_AT)


def _graph(product_ids: list[str], edges: Iterable[Edge]) -> ProductGraph:
    place = {_of(product_id): at for at, product_id in enumerate(product_ids)}
    concepts: list[str] = []
    ones: list[int] = []
    others: list[int] = []
    weights: list[float] = []
    for one, other, weight in edges:
        for name in (one, other):
            if name not in place:
                place[name] = len(place)
                concepts.append(name)
        ones.append(place[one])
        others.append(place[other])
        weights.append(weight)
    half = sparse.coo_array(
        (np.asarray(weights, np.float32), (np.asarray(ones, np.int32), np.asarray(others, np.int32))),
        shape=(len(place), len(place)),
    ).tocsr()
    return ProductGraph(product_ids, concepts, sparse.csr_array(half + half.T))


def _of(product_id: str) -> str:
    """A product's name among the nodes: a concept may be called as a product is."""
    return f"p:{product_id}"
