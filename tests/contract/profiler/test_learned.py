"""The learned parts of a profile: on the topic, over gRPC, and their absence in older messages."""

from __future__ import annotations

from google.protobuf.json_format import MessageToDict

from rapport.events.profiles import ProfileUpdated, SegmentChanged
from rapport.events.samples import SAMPLES
from services.profiler.api import to_wire

LEARNED = {"segments", "propensity", "outlook", "aspects"}


def test_the_api_says_what_the_topic_says() -> None:
    event = ProfileUpdated.model_validate(SAMPLES["profile_updated"])
    told = MessageToDict(to_wire(event, "default"), preserving_proto_field_name=True)
    assert told["segments"][0]["name"] == event.segments[0].name
    assert event.propensity is not None
    assert told["propensity"] == {"session": event.propensity.session, "model": event.propensity.model}
    assert event.outlook is not None
    assert told["outlook"] == event.outlook.model_dump()
    assert told["aspects"] == [each.model_dump() for each in event.aspects]


def test_messages_of_before_are_read_and_say_nothing_of_it() -> None:
    old = {name: value for name, value in SAMPLES["profile_updated"].items() if name not in LEARNED}
    event = ProfileUpdated.model_validate(old)
    assert not LEARNED & set(MessageToDict(to_wire(event, "default"), preserving_proto_field_name=True))
    short = {"customer_id": "c-1", "segment": "x", "change": "left", "reason": "y", "confidence": 0.5}
    assert SegmentChanged.model_validate(short).segment_id is None
