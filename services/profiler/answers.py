"""What is answered from the serving copies: the profile, and the events behind it."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.events.profiles import ProfileUpdated
from rapport.ops.errors import InvalidRequest, NotFound
from services.profiler.domain.explanation import Explanation, reasons_of
from services.profiler.domain.rules import Rules
from services.profiler.domain.subjects import subjects
from services.profiler.domain.trail import CUT
from services.profiler.observers import Observer, Served
from services.profiler.ports import Key, ServingCopies


async def find_profile(key: Key, copies: ServingCopies) -> ProfileUpdated:
    """The customer's profile; of an id that is another customer's by now, that one's.

    Raises `NotFound` when nothing was seen of them, `UnavailableError` without Redis.
    """
    profile = await _found(key, copies)
    passed = {key[1]}
    while profile.merged_into and profile.merged_into not in passed:
        passed.add(profile.merged_into)
        try:
            profile = await _found((key[0], profile.merged_into), copies)
        except NotFound:
            break  # on its way there just now
    return profile


async def explain_profile(
    key: Key, subject: str, copies: ServingCopies, observers: Sequence[Observer], rules: Rules
) -> tuple[str, list[Explanation]]:
    """Whose profile answers, and what made one number of it, or, for an empty `subject`, every number.

    Raises as `find_profile`, and `InvalidRequest` naming the subjects that there are.
    """
    profile = await find_profile(key, copies)
    backing, needs = await copies.backing((key[0], profile.customer_id))
    served, known = Served(profile, backing, needs), subjects(profile)
    if subject and subject not in known:
        raise InvalidRequest(f"the profile has no {subject!r}", field="subject", fix=f"one of {', '.join(known)}")
    asked = {each: value for each, value in known.items() if subject in ("", each)}
    complete = len(backing.steps) >= profile.event_count and not any(CUT in step.marks for step in backing.steps)
    found = [
        Explanation(
            each,
            value,
            tuple(reasons_of(profile, backing.steps, each, rules.session_gap_ms)),
            complete,
            next((told for observer in observers if (told := observer.explain(each, served))), None),
        )
        for each, value in asked.items()
    ]
    return profile.customer_id, found


async def _found(key: Key, copies: ServingCopies) -> ProfileUpdated:
    found = await copies.find(key)
    if found is None:
        raise NotFound(f"nothing was seen of customer {key[1]!r}", field="customer_id")
    return ProfileUpdated.model_validate_json(found)
