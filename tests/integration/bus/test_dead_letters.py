"""`./rapport dlq`: list, show, replay; mended on the way, each once, to the group that failed alone."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.dlq import app
from rapport.bus.client import topic_name
from rapport.bus.consumer import HandlerConsumer
from rapport.bus.dlq import LetterFilter, StoredLetter, find_letters
from rapport.bus.messages import Handler, Message, Outgoing
from rapport.bus.producer import EventProducer
from rapport.bus.records import Sending, sending_of
from rapport.ops.settings import Settings
from tests.integration.bus.support import IN, answer, ids_until, living, viewed

Command = Callable[..., Awaitable[str]]


class Groups:
    """Two groups on one topic. `ill` fails on event 3 until it is cured; `well` never does."""

    def __init__(self, settings: Settings) -> None:
        self.cured = False
        self.seen: dict[str, Counter[str]] = {"ill": Counter(), "well": Counter()}
        self.consumers = [HandlerConsumer(name, [IN], self._handler(name), settings) for name in self.seen]

    def _handler(self, group: str) -> Handler:
        async def handler(messages: Sequence[Message]) -> Sequence[Outgoing]:
            if group == "ill" and not self.cured and any(message.envelope.id == "e3" for message in messages):
                raise RuntimeError("three is too many")
            self.seen[group].update(message.envelope.id for message in messages)
            return [answer(message, f"{group}-{message.envelope.id}") for message in messages]

        return handler


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Command:
    kafka = settings.kafka.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    for name, value in kafka.items():
        monkeypatch.setenv(f"RAPPORT_KAFKA__{name.upper()}", str(value))

    async def run(*arguments: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        assert result.exit_code == 0, result.output
        return result.output

    return run


async def _letters(settings: Settings, **wanted: str) -> list[StoredLetter]:
    return await find_letters(settings.kafka, LetterFilter.parse(f"{name}={value}" for name, value in wanted.items()))


async def test_a_handlers_failure_is_replayed_once_and_to_its_group_alone(
    settings: Settings, producer: EventProducer, command: Command
) -> None:
    groups = Groups(settings)
    async with living(*groups.consumers):
        await producer.send_many([viewed(number) for number in range(6)])
        await ids_until(settings, {"ill-e5", "well-e3"}, 20)
        listed = await command("list", "--group", "ill")
        assert "handler_error" in listed
        assert "1 dead letters, 1 not sent back" in listed
        assert "1 would be sent, 0 not" in await command("replay", "--filter", "group=ill", "--dry-run")
        groups.cured = True
        assert "1 sent, 0 not" in await command("replay", "--filter", "group=ill", "--filter", "kind=handler_error")
        await ids_until(settings, {"ill-e3"}, 20)
        again = await command("replay", "--filter", "group=ill")
        assert "0 sent, 1 not" in again
        assert "sent back before" in again
        await producer.send(viewed(6))
        found = await ids_until(settings, {"ill-e6", "well-e6"}, 20)
    assert set(found.values()) == {1}
    assert groups.seen["well"] == {f"e{number}": 1 for number in range(7)}
    assert groups.seen["ill"] == {f"e{number}": 1 for number in range(7)}


async def test_malformed_events_come_back_mended(
    settings: Settings, producer: EventProducer, command: Command, tmp_path: Path
) -> None:
    groups = Groups(settings)
    groups.cured = True
    good = [sending_of(viewed(number), "test", settings.kafka) for number in range(10)]
    bad = [
        replace(good[0], value=b'{"customer_id": "c0"}'),
        replace(good[1], headers=[header for header in good[1].headers if header[0] != "ce_id"]),
        replace(good[2], key=b"someone"),
        replace(good[4], value=b'{"customer_id": "c4", "product'),
        Sending(topic_name(settings.kafka, IN), b"c5", b"x" * 5_000_000, good[5].headers),
        replace(good[6], value=None),
    ]
    async with living(groups.consumers[1]):
        await producer.send_records([*bad, good[9]])
        await ids_until(settings, {"well-e9"}, 20)
        assert [stored.letter.kind.value for stored in await _letters(settings)].count("schema_violation") == 5
        assert len(await _letters(settings, kind="size_violation", key="c5")) == 1
        unmended = await command("replay")
        assert "0 sent, 6 not" in unmended
        await command("replay", "--filter", "field=product_id", "--set", "product_id=p0")
        await command("replay", "--filter", "field=ce_id", "--header", "ce_id=e1")
        await command("replay", "--filter", "field=key", "--rekey")
        shown = [json.loads(await command("show", "--filter", f"key=c{number}")) for number in (4, 5, 6)]
        for line, number in zip(shown, (4, 5, 6), strict=True):
            line["value"] = {"customer_id": f"c{number}", "product_id": f"p{number}"}
        file = tmp_path / "mended.jsonl"
        file.write_text("\n".join(json.dumps(line) for line in shown))
        assert "3 sent, 0 not" in await command("replay", "--from", str(file))
        found = await ids_until(settings, {f"well-e{number}" for number in (0, 1, 2, 4, 5, 6, 9)}, 20)
    assert set(found.values()) == {1}
    assert all(stored.replayed for stored in await _letters(settings))
