"""Wish recall: the language model writes what a customer would want next, and the text is matched to the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rapport.events.profiles import ProfileUpdated
from rapport.serving.client import Priority, Role
from services.recommender.domain.catalogue import Catalogue, Catalogues
from services.recommender.domain.wishing import question, usable, wishes_of
from services.recommender.ports import Encoder, Items, Vectors, WishStore, WishWriter

# Of the products looked at last, which together say what a customer is at.
_LOOKED_AT = 4


async def wish(
    tenant: str,
    profile: ProfileUpdated,
    *,
    catalogues: Catalogues,
    items: Items,
    writer: WishWriter,
    encoder: Encoder,
    store: WishStore,
) -> list[str]:
    """Has the wishes of one customer written, embedded, and those kept that say something new; the next answer finds
    them. Raises what the workers and Redis raise."""
    catalogue = catalogues.of(tenant)
    asked = question(profile, catalogue)
    if asked is None:
        return []
    written = wishes_of(await writer.write(asked.turns), asked.told)
    looked_at = await items.vectors(tenant, profile.recent_product_ids[:_LOOKED_AT])
    if not written or not looked_at:
        return []
    embedded = await encoder.embed(written, role=Role.QUERY, priority=Priority.BULK)
    if embedded.model != items.space(tenant):
        return []
    theme = np.mean(list(looked_at.values()), axis=0)
    kept = await _usable(tenant, embedded.vectors, theme / np.linalg.norm(theme), asked.told, catalogue, items)
    wishes = [written[at] for at in kept]
    if wishes:
        await store.keep(tenant, profile.customer_id, embedded.model, wishes, embedded.vectors[kept])
    else:
        # What was written of another moment says nothing any more.
        await store.forget(tenant, [profile.customer_id])
    return wishes


async def _usable(
    tenant: str, wishes: Vectors, theme: Vectors, told: Sequence[str], catalogue: Catalogue, items: Items
) -> list[int]:
    """The numbers of the `wishes`, [wishes, d], that are usable for a customer who looks at `theme`, [d]."""
    about, *found = await items.near(tenant, np.concatenate([theme[None], wishes]), 1, catalogue.available)
    nearest = [near.product_ids[0] if near.product_ids else "" for near in found]
    vectors = await items.vectors(tenant, nearest)
    kept = []
    for at, product_id in enumerate(nearest):
        product = catalogue.get(product_id)
        if product and product_id in vectors:
            cosine = float(theme @ vectors[product_id])
            if usable(product, told, about.level, cosine):
                kept.append(at)
    return kept
