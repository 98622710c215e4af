"""Embedding what the bot has to compare: its articles, and the examples of what customers want."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from rapport.ops.errors import UnavailableError
from rapport.serving.client import Priority, Role
from services.chatbot.domain.mind import Mind
from services.chatbot.domain.shelf import Float32
from services.chatbot.ports import Ports

log = structlog.stdlib.get_logger(__name__)
# Texts embedded in one call, and the longest it may take. Small and patient, so that a busy CPU makes progress.
_LEARN_AT_ONCE, _LEARN_WITHIN_S = 64, 120.0


async def learn(ports: Ports, mind: Mind) -> int:
    """Gives every text that lacks one a vector of the encoder as it is now; returns how many were embedded.

    Raises the encoder's retryable errors; what was embedded by then is in the cache. The cache may be down: then all is
    embedded anew.
    """
    understanding, encoder = mind.understanding, ports.encoder
    # One text tells which encoder answers just now.
    model = (await encoder.embed(understanding.examples[:1], role=Role.QUERY, timeout_s=_LEARN_WITHIN_S)).model
    if understanding.space != model:
        examples = await encoder.embed(understanding.examples, role=Role.QUERY, timeout_s=_LEARN_WITHIN_S)
        understanding.learn(examples.model, examples.vectors)
    embedded = 0
    for tenant in mind.library.tenants():
        shelf = mind.library.of(tenant)
        lacking = shelf.lacking(model)
        if not lacking:
            continue
        vectors = await _cached(tenant, model, list(lacking), ports)
        missing = [key for key in lacking if key not in vectors]
        for part in (missing[at : at + _LEARN_AT_ONCE] for at in range(0, len(missing), _LEARN_AT_ONCE)):
            vectors |= await _embedded(tenant, model, {key: lacking[key] for key in part}, ports)
        shelf.learn(model, vectors)
        embedded += len(missing)
    return embedded


async def _embedded(tenant: str, model: str, texts: Mapping[str, str], ports: Ports) -> dict[str, Float32]:
    """Vectors of `texts` by their keys, in the cache as well."""
    made = await ports.encoder.embed(
        list(texts.values()), role=Role.PASSAGE, priority=Priority.BULK, timeout_s=_LEARN_WITHIN_S
    )
    if made.model != model:
        raise UnavailableError("the encoder changed while articles were embedded")
    vectors: dict[str, Float32] = dict(zip(texts, made.vectors, strict=True))
    await _cache(tenant, model, vectors, ports)
    return vectors


async def _cached(tenant: str, model: str, keys: Sequence[str], ports: Ports) -> dict[str, Float32]:
    try:
        return await ports.vectors.read(tenant, model, keys)
    except UnavailableError as error:
        log.warning("vectors are not read from the cache", error=str(error))
        return {}


async def _cache(tenant: str, model: str, vectors: Mapping[str, Float32], ports: Ports) -> None:
    try:
        await ports.vectors.write(tenant, model, vectors)
    except UnavailableError as error:
        log.warning("vectors are not cached", error=str(error))
