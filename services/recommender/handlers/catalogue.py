"""The catalogue comes in: products can be recommended at once, and by what they mean as soon as they are embedded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import structlog

from rapport.bus.messages import Message
from rapport.events.catalog import ProductUpserted
from rapport.ops.errors import RetryableError
from rapport.serving.client import Priority, Role
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.products import Product, product_of
from services.recommender.handlers.event_time import event_ms
from services.recommender.ports import Arrivals, Encoder, Indexing, Items, ItemVectors, Vectors

log = structlog.stdlib.get_logger(__name__)


async def catalogue_changed(
    messages: Sequence[Message],
    *,
    catalogues: Catalogues,
    items: Items,
    vectors: ItemVectors,
    arrivals: Arrivals,
    indexing: Indexing,
) -> None:
    """Takes products in and tombstones out. Works without Redis: products are then not known as new arrivals."""
    by_tenant: dict[str, dict[str, Message]] = {}
    for message in messages:
        # The newest message of a product is the product.
        by_tenant.setdefault(message.envelope.tenant, {})[message.key] = message
    for tenant, newest in by_tenant.items():
        upserts = {key: message for key, message in newest.items() if isinstance(message.event, ProductUpserted)}
        gone = [key for key in newest if key not in upserts]
        arrived = await _arrived(tenant, upserts, arrivals)
        changed = []
        for key, message in upserts.items():
            if isinstance(message.event, ProductUpserted):
                product, before = product_of(message.event), catalogues.of(tenant).get(key)
                catalogues.put(tenant, product.arrived(arrived.get(key)))
                if before is None or before.text != product.text:
                    changed.append(key)
        indexing.add(tenant, changed)
        if gone:
            await _delist(tenant, gone, catalogues, items, vectors, arrivals)


async def index_products(
    tenant: str,
    product_ids: Sequence[str],
    *,
    catalogues: Catalogues,
    items: Items,
    vectors: ItemVectors,
    encoder: Encoder,
    indexing: Indexing,
) -> None:
    """Puts the products' vectors into the index: from Redis where their text was embedded before, else from the worker.

    A worker that has another encoder by now starts a second index, filled in the background with the whole catalogue;
    the first one is searched until the second is complete. Raises what Redis or the worker raise.
    """
    catalogue = catalogues.of(tenant)
    products = [product for product_id in product_ids if (product := catalogue.get(product_id))]
    space = items.filling(tenant) or await vectors.space(tenant)
    known = await vectors.known(tenant, space, products) if space else {}
    if space and known:
        await _put(tenant, space, [(product, known.get(product.product_id)) for product in products], catalogues, items)
    missing = [product for product in products if product.product_id not in known]
    if missing:
        texts = [product.text for product in missing]
        embedded = await encoder.embed(texts, role=Role.PASSAGE, priority=Priority.BULK)
        await vectors.keep(tenant, embedded.model, missing, embedded.vectors)
        if space not in (None, embedded.model):
            _start_over(tenant, embedded.model, catalogues, items, indexing)
        await _put(tenant, embedded.model, zip(missing, embedded.vectors, strict=True), catalogues, items)
    await _take_over(tenant, items, vectors, indexing)


async def check_encoder(*, catalogues: Catalogues, items: Items, encoder: Encoder, indexing: Indexing) -> None:
    """Asks the worker which encoder it has, and has the catalogue embedded anew when that has changed."""
    stale = [tenant for tenant in catalogues.tenants() if items.filling(tenant) is not None]
    if not stale:
        return
    model = (await encoder.embed(["encoder?"], role=Role.PASSAGE, priority=Priority.BULK)).model
    for tenant in stale:
        if items.filling(tenant) != model:
            _start_over(tenant, model, catalogues, items, indexing)


def _start_over(tenant: str, space: str, catalogues: Catalogues, items: Items, indexing: Indexing) -> None:
    log.info("the encoder has changed: embedding the catalogue anew", tenant=tenant, encoder=space)
    items.begin(tenant, space)
    indexing.add(tenant, catalogues.of(tenant).products)


async def _put(
    tenant: str, space: str, found: Iterable[tuple[Product, Vectors | None]], catalogues: Catalogues, items: Items
) -> None:
    """Leaves out products that were changed or delisted while their vectors were fetched."""
    catalogue = catalogues.of(tenant)
    current = [
        (product.product_id, vector)
        for product, vector in found
        if vector is not None and (now := catalogue.get(product.product_id)) and now.text == product.text
    ]
    if items.filling(tenant) != space:
        items.begin(tenant, space)
    if current:
        await items.put(tenant, [product_id for product_id, _ in current], np.stack([vector for _, vector in current]))


async def _take_over(tenant: str, items: Items, vectors: ItemVectors, indexing: Indexing) -> None:
    """Once the whole catalogue is in the index being filled, it is the one that is searched, here and elsewhere."""
    filled = items.filling(tenant)
    if filled is not None and filled != items.space(tenant) and not indexing.waiting(tenant):
        await vectors.use(tenant, filled)
        items.take_over(tenant)


async def _arrived(tenant: str, upserts: Mapping[str, Message], arrivals: Arrivals) -> Mapping[str, int | None]:
    try:
        return await arrivals.note(tenant, {key: event_ms(message) for key, message in upserts.items()})
    except RetryableError as error:
        log.warning("not known which products are new", tenant=tenant, error=str(error))
        return {}


async def _delist(
    tenant: str,
    product_ids: Sequence[str],
    catalogues: Catalogues,
    items: Items,
    vectors: ItemVectors,
    arrivals: Arrivals,
) -> None:
    for product_id in product_ids:
        catalogues.remove(tenant, product_id)
    await items.remove(tenant, product_ids)
    try:
        await vectors.forget(tenant, product_ids)
        await arrivals.forget(tenant, product_ids)
    except RetryableError as error:
        # A vector that stays behind takes up some bytes; a product that is sold again is not called new.
        log.warning("delisted products are not cleared from Redis", tenant=tenant, error=str(error))
