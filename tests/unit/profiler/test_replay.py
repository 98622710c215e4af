"""The same log gives the same profiles, byte for byte, however it is cut into batches: with everything switched on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.bus.messages import Message
from rapport.events.base import Event
from rapport.events.behaviour import ProductReviewed
from rapport.events.profiler_inbox import CustomerSaid, TimePassed
from rapport.testing import FakeClassifier, MemoryKeyedState, MemoryKeyValues, message
from rapport.testing.events import BEGIN
from services.profiler.adapters.aspects import ClassifiedAspects
from services.profiler.adapters.copies import RedisCopies
from services.profiler.adapters.moods import ClassifiedMoods
from services.profiler.adapters.voices import ClassifiedVoices
from services.profiler.domain.membership import Thresholds
from services.profiler.learning.opinions import OpinionObserver
from services.profiler.learning.outlook import OutlookObserver
from services.profiler.learning.propensity import PropensityObserver
from services.profiler.observers import Observer
from services.profiler.segments.features import TYPE_FEATURES
from services.profiler.segments.model import LinearSegments, Segment
from services.profiler.segments.observer import SegmentObserver
from services.profiler.segments.voice import VoiceObserver
from tests.unit.profiler.conftest import MOODS, Shop
from tests.unit.profiler.test_delivery import EVENTS
from tests.unit.profiler.test_identity import anonymous, errands, identify
from tests.unit.profiler.test_lifetime import CDNOW
from tests.unit.profiler.test_voice import VOICES

CUSTOMERS = ("c1", "c2", "a1", "a2")
HAPPENING: list[Event] = [
    *EVENTS,
    ProductReviewed(customer_id="c1", product_id="coffee-1", review_body="delivery was quick, the quality is broken"),
    anonymous("a1", "running-0"),
    anonymous("a2", "coffee-0"),
    identify("c1", "a1"),
    identify("c2", "a1"),
    identify("c2", "a2"),
    CustomerSaid(customer_id="c1", conversation_id="k", message_id="m", text="I love the moka pot", language="en"),
    TimePassed(customer_id="c1", occurred_at=BEGIN + timedelta(days=90)),
]
# What happens, on which day, and whether a batch ends there: days run backwards, by more than the allowed lateness too.
LOG = st.lists(st.tuples(st.sampled_from(HAPPENING), st.floats(0, 60), st.booleans()), min_size=1, max_size=30)


def learned(shop: Shop) -> Sequence[Observer]:
    """Every observer of the running profiler, with models that move customers about."""
    segments, outlook = SegmentObserver(shop.rules, Thresholds()), OutlookObserver()
    dice = np.random.default_rng(0)
    encoder, dimensions = str(shop.encoder.model), shop.encoder.dimensions
    segments.use("taste", _family("taste", encoder, 20 * dice.standard_normal((3, dimensions)).astype(np.float32)))
    segments.use("type", _family("type", "", dice.standard_normal((3, len(TYPE_FEATURES))).astype(np.float32)))
    outlook.use(CDNOW)
    moods = ClassifiedMoods(FakeClassifier(MOODS))
    opinions = OpinionObserver(ClassifiedAspects(FakeClassifier(MOODS)), moods)
    voice = VoiceObserver(ClassifiedVoices(FakeClassifier(VOICES)), Thresholds(evidence=2))
    return PropensityObserver(shop.rules.session_gap_ms), outlook, opinions, voice, segments


@given(log=LOG)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
async def test_a_replay_gives_the_same_bytes(shop: Shop, log: list[tuple[Event, float, bool]]) -> None:
    _begin(shop)
    messages, ends = list[Message](), list[bool]()
    for event, days, end in log:
        written = await _written(shop, shop.at(event, days=days))
        messages += written
        ends += [end] * len(written)
    first = await _results(shop)
    for cut in (ends, [True] * len(messages), [False] * len(messages)):
        _begin(shop)
        await _replay(shop, messages, cut)
        assert await _results(shop) == first


def _begin(shop: Shop) -> None:
    shop.state, shop.redis = MemoryKeyedState(), MemoryKeyValues()
    shop.store = type(shop.store)(shop.redis)
    shop.copies = RedisCopies(shop.store)
    shop.ports = replace(shop.ports, observers=learned(shop), copies=shop.copies)


async def _written(shop: Shop, first: Message) -> list[Message]:
    """The message and the inbox messages that it leads to, as the log has them."""
    written = [first]
    for now in written:
        for errand in errands(await shop.take(now)):
            shop.offset += 1
            written.append(message(errand.event, shop.offset, event_id=errand.event_id))
        assert len(written) < 40, "errands without end"
    return written


async def _replay(shop: Shop, messages: Sequence[Message], ends: Sequence[bool]) -> None:
    batch: list[Message] = []
    for each, end in zip(messages, ends, strict=True):
        batch.append(each)
        if end:
            await shop.take(*batch)
            batch = []
    if batch:
        await shop.take(*batch)


async def _results(shop: Shop) -> list[tuple[bytes | None, bytes | None]]:
    """State and serving copy of everybody."""
    return [
        (shop.state.get(f"default|{customer}"), await shop.copies.find(("default", customer))) for customer in CUSTOMERS
    ]


def _family(name: str, encoder: str, weights: np.ndarray) -> LinearSegments:
    kinds = tuple(Segment(f"{name}-{number}", f"{name} {number}", "", 0.3, ()) for number in range(len(weights)))
    return LinearSegments(name, "v1", encoder, kinds, weights, np.zeros(len(weights), dtype=np.float32))  # type: ignore[arg-type]
