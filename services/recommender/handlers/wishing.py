"""Wish recall: the language model writes what a customer would want next, and the text is matched to the catalogue."""

from __future__ import annotations

from rapport.events.profiles import ProfileUpdated
from rapport.serving.client import Priority, Role
from services.recommender.domain.catalogue import Catalogues
from services.recommender.domain.wishing import questions, wishes_of
from services.recommender.ports import Encoder, WishStore, WishWriter


async def wish(
    tenant: str,
    profile: ProfileUpdated,
    *,
    catalogues: Catalogues,
    writer: WishWriter,
    encoder: Encoder,
    store: WishStore,
) -> list[str]:
    """Has the wishes of one customer written, embedded and kept; the next answer finds them. Raises what the workers
    and Redis raise."""
    asked = questions(profile, catalogues.of(tenant))
    if not asked:
        return []
    wishes = wishes_of(await writer.write(asked), [need.label for need in profile.needs])
    if wishes:
        embedded = await encoder.embed(wishes, role=Role.QUERY, priority=Priority.BULK)
        await store.keep(tenant, profile.customer_id, embedded.model, wishes, embedded.vectors)
    return wishes
