"""Finding dead letters: what is set aside, why, and whether it has been sent back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from rapport.bus.client import admin, registered_name, topic_name
from rapport.bus.dead_letter import REPLAYED, read_dead_letter
from rapport.bus.reading import read_topic
from rapport.bus.records import Record
from rapport.events.governance import DeadLetter
from rapport.events.topics import dead_letter_topic
from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import KafkaSettings

_SUFFIX = dead_letter_topic("").name
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter where it lies. `record` has the original key, value and headers, beside those of the failure."""

    record: Record
    letter: DeadLetter
    replayed: bool

    @property
    def name(self) -> str:
        """group/partition/offset: names this letter on the command line and in files."""
        return f"{self.letter.group}/{self.place}"

    @property
    def place(self) -> str:
        """partition/offset in the dead-letter topic."""
        return f"{self.record.partition}/{self.record.offset}"

    @property
    def event_id(self) -> str:
        """The event's id, when it came in a header."""
        return self.record.header("ce_id") or ""


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """All that is given must hold."""

    name: str | None = None
    group: str | None = None
    kind: str | None = None
    topic: str | None = None
    """Short name of the source topic."""
    field: str | None = None
    id: str | None = None
    key: str | None = None
    text: str | None = None
    """Found in the failure's message or in the value."""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def parse(cls, pairs: Iterable[str]) -> Self:
        """From `name=value` texts; times are RFC 3339, or a time back from now such as 30m, 2h, 7d."""
        known = {each.name for each in fields(cls)}
        given: dict[str, str | datetime] = {}
        for pair in pairs:
            name, found, value = pair.partition("=")
            if not found or name not in known:
                raise InvalidRequest(
                    f"{pair!r} is no filter", field="filter", fix=f"NAME=VALUE with {', '.join(sorted(known))}"
                )
            given[name] = _moment(value) if name in {"since", "until"} else value
        return cls(**given)  # type: ignore[arg-type]  # the two times are parsed above

    def matches(self, stored: StoredLetter, settings: KafkaSettings) -> bool:
        letter, record = stored.letter, stored.record
        compared: Mapping[str, str | None] = {
            "name": stored.name,
            "group": letter.group,
            "kind": letter.kind.value,
            "topic": registered_name(settings, letter.topic),
            "field": letter.field,
            "id": stored.event_id,
            "key": (record.key or b"").decode(errors="replace"),
        }
        return (
            all(getattr(self, name) in {None, value} for name, value in compared.items())
            and (self.since is None or letter.failed_at >= self.since)
            and (self.until is None or letter.failed_at <= self.until)
            and (self.text is None or self.text in letter.message or self.text.encode() in (record.value or b""))
        )


async def find_letters(settings: KafkaSettings, wanted: LetterFilter, *, values: bool = True) -> list[StoredLetter]:
    """Dead letters that match, oldest first. Without `values` their values are left out: giants are set aside too."""
    found: list[StoredLetter] = []
    for group in [wanted.group] if wanted.group else await _groups(settings):
        found += await _letters_of(group, settings, wanted, values=values)
    return sorted(found, key=lambda stored: (stored.letter.failed_at, stored.name))


async def _groups(settings: KafkaSettings) -> list[str]:
    prefix = settings.topic_prefix
    async with admin(settings) as client:
        names = await client.list_topics()
    return sorted(
        name[len(prefix) : -len(_SUFFIX)] for name in names if name.startswith(prefix) and name.endswith(_SUFFIX)
    )


async def _letters_of(group: str, settings: KafkaSettings, wanted: LetterFilter, *, values: bool) -> list[StoredLetter]:
    found: list[StoredLetter] = []
    replayed: set[str] = set()
    async for record in read_topic(settings, topic_name(settings, dead_letter_topic(group).name)):
        mark = record.header(REPLAYED)
        letter = read_dead_letter(record)
        if mark is not None:
            replayed.add(mark)
        elif letter is not None:
            stored = StoredLetter(record, letter, replayed=False)
            if wanted.matches(stored, settings):
                found.append(stored if values else replace(stored, record=replace(record, value=None)))
    return [replace(stored, replayed=stored.place in replayed) for stored in found]


def _moment(text: str) -> datetime:
    back = re.fullmatch(r"(\d+)([smhd])", text)
    if back:
        return datetime.now(UTC) - timedelta(**{_UNITS[back[2]]: int(back[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(
            f"{text!r} is no time", field="filter", fix="write 2026-11-22T08:00Z, or 30m, 2h, 7d"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
