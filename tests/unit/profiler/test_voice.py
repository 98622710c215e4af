"""Customer types by what customers write."""

from __future__ import annotations

from dataclasses import replace

from rapport.events.profiles import SegmentChanged
from rapport.testing import FakeClassifier, searched, viewed
from services.profiler.adapters.voices import TASK, ClassifiedVoices
from services.profiler.answers import explain_profile
from services.profiler.domain.learned import Learned
from services.profiler.domain.membership import Thresholds
from services.profiler.segments.observer import SegmentObserver
from services.profiler.segments.voice import VoiceObserver
from tests.unit.profiler.conftest import MOODS, Shop

VOICES = {TASK: {"Gift buyer": ["gift", "礼物", "love"], "Professional": ["bulk", "invoice"]}}


def hear(shop: Shop, classifier: FakeClassifier) -> None:
    observers = VoiceObserver(ClassifiedVoices(classifier), Thresholds()), SegmentObserver(shop.rules, Thresholds())
    shop.ports = replace(shop.ports, observers=observers)


async def test_who_writes_like_a_type_enters_it_and_it_is_said_by_which_texts(shop: Shop) -> None:
    hear(shop, FakeClassifier(VOICES))
    texts = ("gift for mum", "gift under 20", "生日礼物")
    profile = await shop.happen(viewed("c1", "running-0"), *(searched("c1", text) for text in texts))
    assert profile.segments == ()
    out = await shop.take(
        shop.at(searched("c1", "gift wrap"), minutes=1), shop.at(viewed("c1", "running-1"), minutes=2)
    )
    [changed] = [each.event for each in out if isinstance(each.event, SegmentChanged)]
    assert (changed.change, changed.family, changed.segment) == ("entered", "voice", "Gift buyer")
    assert changed.reason == "what they write is typical of Gift buyer"
    [told] = (await shop.profile()).segments
    assert (told.name, told.family) == ("Gift buyer", "voice")
    [why] = (await explain_profile(("default", "c1"), "segment:voice-gift-buyer", shop.copies, (), shop.rules))[1]
    assert [reason.event_id.rpartition("/")[2] for reason in why.reasons] == ["5", "4", "3", "2"]
    turned = await shop.take(*(shop.at(searched("c1", f"bulk order invoice {n}"), minutes=9 + n) for n in range(12)))
    moves = [(each.event.change, each.event.segment) for each in turned if isinstance(each.event, SegmentChanged)]
    assert moves == [("left", "Gift buyer"), ("entered", "Professional")]


async def test_without_a_classifier_of_the_shop_nobody_has_a_voice(shop: Shop) -> None:
    classifier = FakeClassifier(MOODS)
    hear(shop, classifier)
    profile = await shop.happen(*(searched("c1", f"gift {number}") for number in range(6)))
    assert profile.segments == ()
    assert shop.kept().learned.texts == 0


async def test_who_writes_like_nobody_in_particular_is_in_no_segment(shop: Shop) -> None:
    hear(shop, FakeClassifier({TASK: {"Gift buyer": ["gift"], "other": []}}))
    profile = await shop.happen(*(searched("c1", f"shoes {number}") for number in range(6)))
    assert profile.segments == ()
    assert shop.kept().learned.texts == 6


async def test_what_a_withdrawn_classifier_said_is_forgotten(shop: Shop) -> None:
    hear(shop, FakeClassifier(VOICES))
    await shop.happen(searched("c1", "gift"))
    voice = shop.ports.observers[0]
    assert isinstance(voice, VoiceObserver)
    voice._voices = ClassifiedVoices(FakeClassifier(MOODS))
    await shop.happen(searched("c1", "gift"), minutes=1)
    assert shop.kept().learned.texts == 1


def test_two_ids_of_one_person_have_one_voice() -> None:
    known, guest = Learned(), Learned()
    known.hear({"a": 0.9, "b": 0.1})
    for _ in range(3):
        guest.hear({"a": 0.1, "b": 0.9})
    merged = known.merged_with(guest, "a1", 0)
    assert merged.texts == 4
    assert merged.voice["b"] > merged.voice["a"]
    assert Learned().merged_with(guest, "a1", 0).voice == guest.voice
    again = Learned()
    again.hear({"a": 0.9, "b": 0.1})
    again.hear({"c": 1.0})  # another classifier
    assert (again.texts, list(again.voice)) == (1, ["c"])
