"""The shop's own copy and what came of it, read from Kafka once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rapport.bus.messages import Message
from rapport.bus.view import TopicView
from rapport.events.content import ContentPublished
from rapport.ops.errors import UnavailableError
from services.content.domain.audience import People
from services.content.domain.experiments.board import Board
from services.content.handlers.experiments import ExperimentHandlers
from services.content.settings import ContentSettings
from services.content.training.dataset import Example, examples_of
from services.content.training.forgetful import NoArms

# Reading all copy and outcomes of three months takes minutes; a broker that does not answer must not hold for ever.
_WITHIN_S = 600.0


async def published(settings: ContentSettings, *, every: bool) -> list[Example]:
    """Raises `UnavailableError` when the topics cannot be read to their end."""
    board, contents = Board(), {}
    experiments = ExperimentHandlers(board, People(), NoArms())

    async def on_content(messages: Sequence[Message]) -> None:
        for message in messages:
            if isinstance(message.event, ContentPublished) and message.envelope.tenant == settings.tenant:
                contents[message.event.content_id] = message.event

    # In this order: exposures count only for experiments that are known.
    for topic, apply in (
        ("experiments.v1", experiments.on_experiments),
        ("exposures.v1", experiments.on_exposures),
        ("outcomes.v1", experiments.on_outcomes),
        ("content.published.v1", on_content),
    ):
        view = TopicView("train", topic, apply, settings)
        await view.start()
        try:
            async with asyncio.timeout(_WITHIN_S):
                await view.caught_up.wait()
        except TimeoutError as error:
            raise UnavailableError(f"{topic} could not be read in {_WITHIN_S:.0f} s", field="kafka") from error
        finally:
            await view.stop()
    return examples_of(contents.values(), board, settings.tenant, every=every)
