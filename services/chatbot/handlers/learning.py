"""Embedding what the bot has to compare: its articles, and the examples of what customers want."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from rapport.models.ports import ModelId
from rapport.ops.errors import UnavailableError
from rapport.serving.client import Priority, Role
from services.chatbot.domain.shelf import Float32
from services.chatbot.mind import Mind
from services.chatbot.ports import Ports
from services.chatbot.training.intents import learn_intents

log = structlog.stdlib.get_logger(__name__)
# Texts embedded in one call, and the longest it may take. Small and patient, so that a busy CPU makes progress.
_LEARN_AT_ONCE, _LEARN_WITHIN_S = 64, 120.0
_ANY_TEXT = "hello"


async def learn(ports: Ports, mind: Mind) -> int:
    """Gives every text that lacks one a vector of the encoder as it is now; returns how many were embedded.

    Raises the encoder's retryable errors; what was embedded by then is in the cache. The cache may be down: then all is
    embedded anew.
    """
    understanding, encoder = mind.understanding, ports.encoder
    # One text tells which encoder answers just now.
    model = (await encoder.embed([_ANY_TEXT], role=Role.QUERY, timeout_s=_LEARN_WITHIN_S)).model
    if understanding.space != model:
        await _learn_intents(ports, mind)
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


async def _learn_intents(ports: Ports, mind: Mind) -> None:
    texts, intents = zip(*mind.understanding.examples, strict=True)
    made = await ports.encoder.embed(texts, role=Role.QUERY, priority=Priority.BULK, timeout_s=_LEARN_WITHIN_S)
    # A second of arithmetic: beside the loop, which answers customers meanwhile.
    learned = await asyncio.to_thread(learn_intents, ModelId("rapport/intents", made.model), made.vectors, intents)
    mind.understanding.learn(made.model, learned.head, learned.facts.act_from)
    log.info("intents are learned", examples=len(texts), held_out_accuracy=round(learned.facts.accuracy, 3))


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
