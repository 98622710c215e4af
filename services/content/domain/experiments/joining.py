"""Two ids of one person: what was seen before `identify` counts for what the customer does after it.

The same three steps as the profiler's (docs/decisions/0005): the customer's side asks the anonymous id's, which hands
over what it has and keeps the customer's address; the customer's side joins it to its own. Until the answer is there,
clicks and orders are kept, and looked at again when it comes: an order right after `identify` is not lost.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.content.domain.experiments.journey import Happening, Journey, Seen

# Of clicks and orders while an answer is awaited, which takes some hundred milliseconds: a bound, not a size.
_MOST_WAITING = 50


def asking(journey: Journey, anonymous_id: str) -> Journey:
    """The customer's journey once `anonymous_id` has been asked for its own."""
    if anonymous_id in journey.asked:
        return journey
    return journey.model_copy(update={"asked": (*journey.asked, anonymous_id)})


def remembering(journey: Journey, happening: Happening) -> Journey:
    """`journey` with what just happened kept, if answers are awaited."""
    if not journey.asked:
        return journey
    return journey.model_copy(update={"happened": (*journey.happened, happening)[-_MOST_WAITING:]})


def handed_over(journey: Journey, own_id: str, same_as: str, at: datetime) -> tuple[Journey, Journey]:
    """What stays under `own_id`, the address, and what goes to `same_as`.

    An id that is linked to two customers (a shared device) is the later one's; to the earlier one nothing goes.
    """
    before = journey.linked_at or at
    if journey.linked_to not in {"", same_as} and at < before:
        return journey, Journey()
    seen = {
        name: each if each.viewed_as else each.model_copy(update={"viewed_as": own_id})
        for name, each in journey.seen.items()
    }
    return Journey(linked_to=same_as, linked_at=max(at, before)), Journey(seen=seen, happened=journey.happened)


def joined(ours: Journey, theirs: Journey, their_id: str) -> Journey:
    """Our journey with theirs: of two views of one experiment the first counts. `happened` is to be looked at again."""
    seen = dict(ours.seen)
    for name, other in theirs.seen.items():
        mine = seen.get(name)
        seen[name] = other if mine is None else _first(mine, other)
    happened = sorted((*ours.happened, *theirs.happened), key=lambda each: each.at)
    asked = tuple(name for name in ours.asked if name != their_id)
    return ours.model_copy(update={"seen": seen, "happened": tuple(happened), "asked": asked})


def settled(journey: Journey, now: datetime) -> Journey:
    """Without what is over: events that were looked at again, unless more answers are awaited, and old views."""
    seen = {name: each for name, each in journey.seen.items() if each.until + timedelta(days=1) > now}
    return journey.model_copy(update={"seen": seen, "happened": journey.happened if journey.asked else ()})


def _first(one: Seen, other: Seen) -> Seen:
    """The earlier view. What was counted for the same variation under the other id is not counted again."""
    first, second = sorted((one, other), key=lambda seen: seen.at)
    done = second.done if first.variation_id == second.variation_id else ()
    return first.model_copy(update={"done": tuple(dict.fromkeys((*first.done, *done)))})
