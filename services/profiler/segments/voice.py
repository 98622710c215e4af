"""Customer types by what customers write: searches, reviews, chat lines, read by a classifier that the shop trained.

P(c | texts) ∝ exp(mean over texts of log P(c | text)): a log-linear pool with equal weights that sum to one (Genest and
Zidek 1986), since texts of one person are no independent witnesses. From the ninth on each weighs an eighth, and the
earlier ones fade.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from services.profiler.domain.customer import Customer, Insight
from services.profiler.domain.learned import Moved
from services.profiler.domain.membership import Thresholds, decide
from services.profiler.domain.observation import Observation
from services.profiler.domain.trail import mark
from services.profiler.learning.passing import forget
from services.profiler.observers import Observer
from services.profiler.ports import Voices


class VoiceObserver(Observer):
    """The family `voice`. `SegmentObserver` tells of who enters and leaves, as of all families."""

    def __init__(self, voices: Voices, thresholds: Thresholds) -> None:
        self._voices, self._thresholds = voices, thresholds
        self._told: dict[str, Mapping[str, float]] = {}

    async def prepare(self, batch: Sequence[tuple[Customer, Observation]], insight: Insight | None) -> None:
        """All texts of the batch in one call. Raises `RetryableError` when the worker does not answer."""
        del insight
        said = {seen.said for _, seen in batch if seen.said}
        told = await self._voices.told(sorted(said))
        for text in said - told.keys():
            self._told.pop(text, None)  # of a classifier that was rolled back since
        self._told |= told
        forget(self._told, said)

    def see(self, customer: Customer, seen: Observation, insight: Insight | None) -> None:
        del insight
        shares = self._told.get(seen.said or "")
        if not shares:
            return
        customer.learned.hear(shares)
        likeliest = max(shares, key=lambda label: (shares[label], label))
        if likeliest:
            mark(customer.trail, seen.event_id, f"voice:{likeliest}", shares[likeliest])
        self._place(customer, seen.at)

    def _place(self, customer: Customer, at: int) -> None:
        learned = customer.learned
        powers = {label: math.exp(mean) for label, mean in learned.voice.items()}
        names = {f"voice-{label.lower().replace(' ', '-')}": label for label in powers if label}
        shares = {id_: powers[label] / sum(powers.values()) for id_, label in names.items()}
        now = learned.memberships.get("voice")
        membership, changes = decide(now, shares, names, learned.texts, at, self._thresholds)
        if membership is None:
            learned.memberships.pop("voice", None)
        else:
            learned.memberships["voice"] = membership
        for change in changes:
            why = f"what they write is {'typical' if change.change == 'entered' else 'not typical'} of {change.name}"
            learned.news.append(Moved("voice", change.segment, change.name, change.change, why, change.confidence, at))
