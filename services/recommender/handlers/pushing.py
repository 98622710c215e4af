"""A profile has changed: is there something new to show?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from rapport.bus.messages import Message, Outgoing
from rapport.events.profiles import ProfileUpdated
from rapport.events.recommendations import RecommendationMade
from services.recommender.domain.change import fingerprint
from services.recommender.domain.rules import Wish
from services.recommender.domain.situation import Boards, Situation
from services.recommender.handlers.answers import fetched, name_of
from services.recommender.handlers.situations import Answers
from services.recommender.ports import Known, Push, Pushes, Recollection, Wishing, WishStore

TOPIC = "recommendations.v1"


async def profiles_updated(
    messages: Sequence[Message],
    *,
    answers: Answers,
    pushes: Pushes,
    limit: int,
    wishing: Wishing | None = None,
    wishes: WishStore | None = None,
) -> Sequence[Outgoing]:
    """Publishes a new answer for each customer of the batch whose answer has changed in a way that matters.

    Of a customer's profiles only the newest counts. A customer who is gone (a tombstone) takes the answer along.
    Raises `UnavailableError` when Redis is away: the batch waits, rather than spreading answers that know nobody.
    """
    newest: dict[str, dict[str, Message]] = {}
    for message in messages:
        newest.setdefault(message.envelope.tenant, {})[message.key] = message
    outgoing: list[Outgoing] = []
    for tenant, by_customer in newest.items():
        gone = [customer for customer, message in by_customer.items() if message.event is None]
        await pushes.forget(tenant, gone)
        if wishes is not None:
            await wishes.forget(tenant, gone)
        outgoing += [_farewell(tenant, by_customer[customer]) for customer in gone]
        living = {customer: message for customer, message in by_customer.items() if message.event is not None}
        outgoing += await _renew(tenant, living, messages[0].position.offset, answers, pushes, Wish(limit))
        for message in living.values():
            if wishing is not None and isinstance(message.event, ProfileUpdated):
                wishing.note(tenant, message.event)
    return outgoing


async def _renew(
    tenant: str, living: dict[str, Message], begins: int, answers: Answers, pushes: Pushes, wish: Wish
) -> list[Outgoing]:
    if not living:
        return []
    profiles = {key: message.event for key, message in living.items() if isinstance(message.event, ProfileUpdated)}
    asked = {customer: Known(profile.recent_product_ids, profile.revision) for customer, profile in profiles.items()}
    (known, boards), last = await asyncio.gather(
        answers.memory.recall(tenant, asked, answers.items.space(tenant)), pushes.last(tenant, list(profiles))
    )
    outgoing: list[Outgoing] = []
    pushed: dict[str, Push] = {}
    for customer, profile in profiles.items():
        position = living[customer].position
        name = name_of("pushed", tenant, customer, position.partition, position.offset)
        situation = await _situation(tenant, profile, known.get(customer, Recollection()), boards, answers, wish)
        found = await answers.answered(situation, wish)
        expires_ms = situation.now_ms + int(answers.expires_after.total_seconds() * 1000)
        mark = fingerprint(found.strategy, found.product_ids)
        push = Push(mark, position.partition, position.offset, expires_ms)
        if found.chosen and _matters(push, last.get(customer), begins, situation.now_ms):
            pushed[customer] = push
            outgoing.append(_published(tenant, answers.made(found, situation, name, wish, "push"), living[customer]))
        # A batch of searches in a large catalogue must not keep calls waiting that came in meanwhile.
        await asyncio.sleep(0)
    await pushes.remember(tenant, pushed)
    return outgoing


def _matters(push: Push, last: Push | None, begins: int, now_ms: int) -> bool:
    """Whether an answer differs from the last one in what is shown first, or the last one has expired.

    A last one from this very batch (`begins`: its first offset) was computed before a crash, and may never have been
    published: it does not count. The message is then the same again, under the same id.
    """
    if last is None or last.expires_ms <= now_ms:
        return True
    if last.partition == push.partition and last.offset >= begins:
        return True
    return last.fingerprint != push.fingerprint


async def _situation(
    tenant: str, profile: ProfileUpdated, known: Recollection, boards: Boards, answers: Answers, wish: Wish
) -> Situation:
    # Redis may be ahead of the topic, and its need vectors go with the profile that lies beside them.
    newer = known.profile if known.profile and known.profile.revision > profile.revision else profile
    allowed = answers.allowed(tenant, wish)
    known = replace(known, profile=newer)
    return await answers.situation(tenant, newer.customer_id, known, boards, allowed, fetched(wish.limit))


def _published(tenant: str, made: RecommendationMade, cause: Message) -> Outgoing:
    traceparent = cause.envelope.traceparent
    return Outgoing(TOPIC, made.customer_id, made, made.recommendation_id, tenant, traceparent)


def _farewell(tenant: str, cause: Message) -> Outgoing:
    event_id = name_of("gone", tenant, cause.key, cause.envelope.id)
    return Outgoing(TOPIC, cause.key, None, event_id, tenant, cause.envelope.traceparent)
