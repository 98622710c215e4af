"""The product that a message means without a word of its name: "the sneakers" of an order with trail running shoes."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from rapport.ops.errors import RetryableError
from rapport.serving.client import Role
from services.chatbot.domain.entities.products import named, words_of
from services.chatbot.domain.library import Library
from services.chatbot.ports import Encoder

log = structlog.stdlib.get_logger(__name__)
# By how much the nearest product has to be nearer than the next, in units of the spread of unrelated texts' cosines. Of
# 21 phrases of ours about 11 products 10 reach it, all rightly, and 1 of 12 that mean none (multilingual-e5-small).
_STANDS_OUT = 0.6


async def alike(
    text: str, names: Mapping[str, str], tenant: str, library: Library, encoder: Encoder, timeout_s: float
) -> str | None:
    """The one of the products `names` that stands out; None where words tell, and where none does.

    Without an encoder, or before it has embedded any article, words alone tell.
    """
    spread = library.of(tenant).spread()
    things = {product_id: words_of(name) for product_id, name in names.items()}
    if spread is None or len(names) < 2 or not words_of(text) or named(text, things):
        return None
    try:
        embedded = await encoder.embed([text, *names.values()], role=Role.QUERY, timeout_s=timeout_s)
    except RetryableError as error:
        log.warning("products are told by their words alone", error=str(error))
        return None
    question, *vectors = embedded.vectors
    ranked = sorted(((float(vector @ question), id_) for id_, vector in zip(names, vectors, strict=True)), reverse=True)
    (best, product_id), (second, _) = ranked[:2]
    return product_id if best - second >= _STANDS_OUT * spread else None
