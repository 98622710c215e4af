"""Which topics feed which handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from rapport.bus.consumer import HandlerConsumer
from rapport.bus.messages import Handler, KeyedState, Message
from rapport.bus.stateful import StatefulConsumer
from rapport.bus.view import TopicView
from rapport.events.content import ConsentChanged
from rapport.events.profiles import ProfileUpdated
from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from services.content.domain.audience import People
from services.content.handlers.briefs import BriefHandlers
from services.content.handlers.experiments import ExperimentHandlers
from services.content.handlers.lines import LineHandlers
from services.content.handlers.outcomes import INBOX, OutcomeHandlers
from services.content.handlers.review import Drafts

T = TypeVar("T")
# A brief may take the model some seconds for each variant and attempt: few at once keep within the stall limit.
_BRIEFS_AT_ONCE = 4
_RECOMMENDATIONS_AT_ONCE = 64
# Nobody waits for a line of copy or a count at once: more of them share a transaction.
_COMMITS_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Views:
    """The topics that are held in memory."""

    parts: tuple[TopicView, ...]
    defined: asyncio.Event
    """Set when the experiments have been read."""
    counted: asyncio.Event
    """Set when all exposures and outcomes have been read."""


def views(people: People, drafts: Drafts, experiments: ExperimentHandlers, settings: Settings) -> Views:
    """Definitions are read before what is counted by them."""

    async def on_profiles(messages: Sequence[Message]) -> None:
        for message in messages:
            event = message.event if isinstance(message.event, ProfileUpdated) else None
            people.profile(message.envelope.tenant, message.key, event)

    async def on_consents(messages: Sequence[Message]) -> None:
        for message in messages:
            event = message.event if isinstance(message.event, ConsentChanged) else None
            people.consent(message.envelope.tenant, message.key, event)

    defined = TopicView("content", "experiments.v1", experiments.on_experiments, settings)
    exposures = TopicView("content", "exposures.v1", _after(defined.caught_up, experiments.on_exposures), settings)
    # Outcomes after exposures: more successes than customers would be read for a moment otherwise.
    outcomes = TopicView("content", "outcomes.v1", _after(exposures.caught_up, experiments.on_outcomes), settings)
    profiles = TopicView("content", "profiles.v1", on_profiles, settings)
    consents = TopicView("content", "consents.v1", on_consents, settings)
    waiting = TopicView("content", "content.drafts.v1", drafts.apply, settings)
    parts = (defined, exposures, outcomes, profiles, consents, waiting)
    return Views(parts, defined.caught_up, outcomes.caught_up)


def consumers(
    briefs: BriefHandlers, lines: LineHandlers, outcomes: OutcomeHandlers, caught_up: asyncio.Event,
    settings: Settings, defined: asyncio.Event,
) -> tuple[Part, ...]:  # fmt: skip
    """Groups of their own, so that a long brief holds up neither recommendation lines nor outcomes.

    `caught_up`: set when the catalogue is there; before, every product would look delisted. `defined`: the same of the
    experiments.
    """

    def journeys(state: KeyedState) -> Handler:
        return _after(defined, partial(outcomes.on_behaviour, state=state))

    return (
        HandlerConsumer(
            "content",
            ["content.requests.v1"],
            _after(caught_up, briefs.on_requests),
            settings,
            max_batch=_BRIEFS_AT_ONCE,
        ),
        HandlerConsumer(
            "content-lines",
            ["recommendations.v1"],
            _after(caught_up, lines.on_recommendations),
            settings,
            max_batch=_RECOMMENDATIONS_AT_ONCE,
            commit_interval_s=_COMMITS_EVERY_S,
        ),
        StatefulConsumer(
            "content-outcomes",
            "clickstream.v1",
            journeys,
            settings,
            commit_interval_s=_COMMITS_EVERY_S,
            inbox=INBOX,
        ),
    )


def _after(
    ready: asyncio.Event, handler: Callable[[Sequence[Message]], Awaitable[T]]
) -> Callable[[Sequence[Message]], Awaitable[T]]:
    async def wait_then_handle(messages: Sequence[Message]) -> T:
        await ready.wait()
        return await handler(messages)

    return wait_then_handle
