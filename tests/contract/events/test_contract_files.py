"""The generated contracts are in step with the code, valid, and true of what the codec takes."""

from __future__ import annotations

import filecmp
import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from deploy.cli.contracts import DOCS, REPO, generate, product_version
from rapport.events.asyncapi import document
from rapport.events.codec import decode, encode, key_of
from rapport.events.envelope import Envelope
from rapport.events.export import contract_files, stale
from rapport.events.samples import SAMPLES
from rapport.events.schemas import json_schema
from rapport.events.topics import EVENTS, TOPICS

CASES = [(topic, event) for topic in TOPICS.values() for event in topic.events]


def test_documents_are_in_step_with_the_code() -> None:
    out_of_step = stale(contract_files(product_version()), DOCS)
    assert out_of_step == [], "run ./rapport contracts export"


def test_no_schema_file_is_left_over() -> None:
    on_disk = {path.relative_to(DOCS) for path in DOCS.rglob("*") if path.is_file()}
    assert on_disk == set(contract_files(product_version()))


def test_generated_code_is_in_step_with_the_protos(tmp_path: Path) -> None:
    (tmp_path / "rapport").mkdir()
    generate(tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.py*"))
    kept = sorted(p.relative_to(REPO / "shared") for p in (REPO / "shared/rapport/contracts").rglob("*_pb2*.py*"))
    assert made == [path for path in kept if "__pycache__" not in path.parts]
    _, mismatch, errors = filecmp.cmpfiles(tmp_path, REPO / "shared", [str(path) for path in made], shallow=False)
    assert (mismatch, errors) == ([], []), "run ./rapport contracts generate"


def test_every_event_has_one_topic_and_one_sample() -> None:
    names = [event.event_name for _, event in CASES]
    assert len(names) == len(set(names)) == len(EVENTS)
    assert set(names) == set(SAMPLES)


@pytest.mark.parametrize(("topic", "event"), CASES, ids=lambda case: getattr(case, "event_name", ""))
def test_sample_satisfies_schema_and_travels(topic, event) -> None:  # type: ignore[no-untyped-def]
    sample = SAMPLES[event.event_name]
    jsonschema.Draft202012Validator(json_schema(event)).validate(sample)
    made = event.model_validate_json(json.dumps(sample))
    envelope = Envelope("e-1", event.ce_type(), "/tests", datetime(2026, 3, 5, tzinfo=UTC), "acme")
    for structured in (False, True):
        value, headers = encode(made, envelope, structured=structured)
        key = key_of(topic, made).encode()
        read = decode(
            topic, key, value, headers, timestamp_ms=0, fallback_id="x", tenant="default", max_bytes=1_000_000
        )
        assert read.event == made
        assert (read.envelope.id, read.envelope.tenant, read.envelope.time) == ("e-1", "acme", envelope.time)


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.event_name)
def test_unknown_fields_are_kept(event) -> None:  # type: ignore[no-untyped-def]
    made = event.model_validate({**SAMPLES[event.event_name], "shop_extra": {"a": 1}})
    assert json.loads(made.to_json())["shop_extra"] == {"a": 1}


def test_asyncapi_references_resolve() -> None:
    whole = document("1")

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                target: object = whole
                for step in node["$ref"].removeprefix("#/").split("/"):
                    assert isinstance(target, dict), node["$ref"]
                    target = target[step]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(whole)
    assert set(whole["channels"]) == set(TOPICS)
