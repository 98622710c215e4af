"""A profile has changed: is there something new to show?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rapport.bus.messages import Message, Outgoing
from rapport.events.profiles import ProfileUpdated
from services.recommender.domain.answer import Answer
from services.recommender.domain.change import fingerprint
from services.recommender.domain.rules import Wish
from services.recommender.domain.situation import Situation
from services.recommender.handlers.answers import fetched, name_of
from services.recommender.handlers.situations import Answers
from services.recommender.ports import Known, Merges, Push, Pushes, Recollection, Wishing, WishStore

TOPIC = "recommendations.v1"


async def profiles_updated(
    messages: Sequence[Message],
    *,
    answers: Answers,
    pushes: Pushes,
    merges: Merges,
    items: int,
    wishing: Wishing | None = None,
    wishes: WishStore | None = None,
) -> Sequence[Outgoing]:
    """Publishes a new answer for each customer of the batch whose answer has changed in a way that matters.

    Of a customer's profiles only the newest counts. A customer who is gone (a tombstone, or merged into another) takes
    the answer along. `items`: of an answer.

    Raises `UnavailableError` when Redis is away: the batch waits, rather than spreading answers that know nobody.
    """
    newest: dict[str, dict[str, Message]] = {}
    for message in messages:
        newest.setdefault(message.envelope.tenant, {})[message.key] = message
    outgoing: list[Outgoing] = []
    for tenant, by_customer in newest.items():
        gone = {customer: message for customer, message in by_customer.items() if not _living(message)}
        await pushes.forget(tenant, list(gone))
        await merges.forget(tenant, [customer for customer, message in gone.items() if message.event is None])
        if wishes is not None:
            await wishes.forget(tenant, list(gone))
        outgoing += [_farewell(tenant, message) for message in gone.values()]
        living = {customer: message for customer, message in by_customer.items() if customer not in gone}
        await merges.note(tenant, _merged(living.values()))
        outgoing += await _renew(tenant, living, messages[0].position.offset, answers, pushes, Wish(items))
        for message in living.values():
            if wishing is not None and isinstance(message.event, ProfileUpdated):
                wishing.note(tenant, message.event)
    return outgoing


def _living(message: Message) -> bool:
    return isinstance(message.event, ProfileUpdated) and message.event.merged_into is None


def _merged(living: Iterable[Message]) -> dict[str, Sequence[str]]:
    """By customer, the ids that are theirs too."""
    profiles = [message.event for message in living if isinstance(message.event, ProfileUpdated)]
    return {profile.customer_id: profile.merged_ids for profile in profiles if profile.merged_ids}


async def _renew(
    tenant: str, living: Mapping[str, Message], begins: int, answers: Answers, pushes: Pushes, wish: Wish
) -> list[Outgoing]:
    profiles = {key: message.event for key, message in living.items() if isinstance(message.event, ProfileUpdated)}
    if not profiles:
        return []
    asked = {customer: Known(profile.recent_product_ids, profile.revision) for customer, profile in profiles.items()}
    (known, boards), last = await asyncio.gather(
        answers.memory.recall(tenant, asked, answers.items.space(tenant)), pushes.last(tenant, list(profiles))
    )
    newest = [(customer, _newest(profile, known.get(customer))) for customer, profile in profiles.items()]
    allowed, pushed, outgoing = answers.allowed(tenant, wish), dict[str, Push](), list[Outgoing]()
    size = answers.at_once(tenant)
    for some in (newest[begin : begin + size] for begin in range(0, len(newest), size)):
        situations = await answers.situations(tenant, some, boards, allowed, fetched(wish.limit))
        found = await answers.answered(situations, wish)
        for (customer, _), situation, made in zip(some, situations, found, strict=True):
            push = _push(living[customer], situation, made, answers)
            if made.chosen and _matters(push, last.get(customer), begins, situation.now_ms):
                pushed[customer] = push
                outgoing.append(_published(living[customer], situation, made, answers, wish))
        # A batch of searches in a large catalogue must not keep calls waiting that came in meanwhile.
        await asyncio.sleep(0)
    await pushes.remember(tenant, pushed)
    return outgoing


def _newest(profile: ProfileUpdated, known: Recollection | None) -> Recollection:
    """Redis may be ahead of the topic, and its need vectors go with the profile that lies beside them."""
    known = known or Recollection()
    newer = known.profile if known.profile and known.profile.revision > profile.revision else profile
    return replace(known, profile=newer)


def _push(cause: Message, situation: Situation, made: Answer, answers: Answers) -> Push:
    expires_ms = situation.now_ms + int(answers.expires_after.total_seconds() * 1000)
    position = cause.position
    return Push(fingerprint(made.strategy, made.product_ids), position.partition, position.offset, expires_ms)


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


def _published(cause: Message, situation: Situation, found: Answer, answers: Answers, wish: Wish) -> Outgoing:
    tenant, position = situation.tenant, cause.position
    name = name_of("pushed", tenant, cause.key, position.partition, position.offset)
    made = answers.made(found, situation, name, wish, "push")
    return Outgoing(TOPIC, made.customer_id, made, made.recommendation_id, tenant, cause.envelope.traceparent)


def _farewell(tenant: str, cause: Message) -> Outgoing:
    event_id = name_of("gone", tenant, cause.key, cause.envelope.id)
    return Outgoing(TOPIC, cause.key, None, event_id, tenant, cause.envelope.traceparent)
