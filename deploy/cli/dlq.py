"""`./rapport dlq`: dead letters, what they failed on, and sending them back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.output import err, out

if TYPE_CHECKING:
    from rapport.bus.dlq import LetterFilter, StoredLetter
    from rapport.bus.replay import Mend, Outcome
    from rapport.ops.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Dead letters: list them, look at them, send them back.")

_NAMES = "name group kind topic field id key text since until"
Filter = Annotated[
    list[str] | None, typer.Option("--filter", "-f", help=f"NAME=VALUE, all must hold. Names: {_NAMES}.")
]
Group = Annotated[str | None, typer.Option(help="Consumer group, e.g. profiler.")]
Kind = Annotated[
    str | None, typer.Option(help="schema_violation, size_violation, handler_error or enrichment_failure.")
]
Topic = Annotated[str | None, typer.Option(help="Source topic, e.g. clickstream.v1.")]
Since = Annotated[str | None, typer.Option(help="2026-11-22T08:00Z, or a time back from now: 30m, 2h, 7d.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="Mend a payload field: path.to.field=VALUE (JSON, or else text).")
]
Header = Annotated[
    list[str] | None, typer.Option("--header", help="Mend a header, e.g. ce_id={topic}-{partition}-{offset}.")
]
Broker = Annotated[str | None, typer.Option(help="host:port; default: the running stack, else the settings.")]
# Of what a failure says, in the list; `show` has it whole.
_SHORT = 200


@app.command("list")
def list_(
    filter_: Filter = None, group: Group = None, kind: Kind = None, topic: Topic = None, since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50, broker: Broker = None,
) -> None:  # fmt: skip
    """What was set aside, oldest first, and whether it has been sent back."""
    settings = _settings(broker)
    wanted = _filter(filter_ or [], group=group, kind=kind, topic=topic, since=since)
    letters = _find(settings, wanted, values=False)
    for stored in letters[-limit:]:
        _print(stored)
    left = sum(not stored.replayed for stored in letters)
    out.print(f"{len(letters)} dead letters, {left} not sent back" + _shown(len(letters), limit))


@app.command()
def show(
    filter_: Filter = None, group: Group = None, kind: Kind = None, topic: Topic = None, since: Since = None,
    broker: Broker = None,
) -> None:  # fmt: skip
    """The letters as JSON lines on standard output: failure, key, headers, value. Edit them, then `replay --from`."""
    from rapport.bus.replay import to_line

    for stored in _find(_settings(broker), _filter(filter_ or [], group=group, kind=kind, topic=topic, since=since)):
        print(to_line(stored))


@app.command()
def replay(
    filter_: Filter = None, group: Group = None, kind: Kind = None, topic: Topic = None, since: Since = None,
    set_: Set = None, header: Header = None,
    rekey: Annotated[bool, typer.Option("--rekey", help="Set the key to what the event is about.")] = False,
    from_: Annotated[Path | None, typer.Option("--from", exists=True, help="Edited lines of `dlq show`.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also those that were sent back before.")] = False,
    broker: Broker = None,
) -> None:  # fmt: skip
    """Send dead letters back to their topic, for the group that failed on them alone; each once."""
    settings = _settings(broker)
    letters = _find(settings, _filter(filter_ or [], group=group, kind=kind, topic=topic, since=since))
    if from_ is None:
        outcomes = _replay(
            letters, _mend(set_ or [], header or [], settings, rekey=rekey), settings, dry_run=dry_run, again=again
        )
    else:
        outcomes = _replay_edited(letters, from_, settings, dry_run=dry_run, again=again)
    refused = [outcome for outcome in outcomes if outcome.refused]
    for outcome in refused[:20]:
        err.print(f"{outcome.stored.name}  not sent: {outcome.refused}", markup=False, soft_wrap=True)
    verb = "would be sent" if dry_run else "sent"
    out.print(f"{len(outcomes) - len(refused)} {verb}, {len(refused)} not" + _shown(len(refused), 20))


def _settings(broker: str | None) -> Settings:
    """The environment's settings, on the given broker or the one of the running stack."""
    from deploy.cli.broker import kafka_settings
    from rapport.ops.settings import Settings

    return Settings.load().model_copy(update={"kafka": kafka_settings(broker)})


def _filter(pairs: Sequence[str], **named: str | None) -> LetterFilter:
    from rapport.bus.dlq import LetterFilter

    return LetterFilter.parse([*pairs, *(f"{name}={value}" for name, value in named.items() if value is not None)])


def _find(settings: Settings, wanted: LetterFilter, *, values: bool = True) -> list[StoredLetter]:
    from rapport.bus.dlq import find_letters

    return asyncio.run(find_letters(settings.kafka, wanted, values=values))


def _mend(fields: Sequence[str], headers: Sequence[str], settings: Settings, *, rekey: bool) -> Mend:
    from rapport.bus.replay import mending

    return mending(
        fields=_pairs(fields, "--set"), headers=_pairs(headers, "--header"), rekey=rekey, settings=settings.kafka
    )


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    from rapport.ops.errors import InvalidRequest

    for text in texts:
        if "=" not in text:
            raise InvalidRequest(f"{text!r} is not NAME=VALUE", field=option)
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def _replay(
    letters: Sequence[StoredLetter], mend: Mend, settings: Settings, *, dry_run: bool, again: bool
) -> list[Outcome]:
    from rapport.bus.replay import replay as send_back

    return asyncio.run(send_back(letters, lambda _: mend, settings, dry_run=dry_run, again=again))


def _replay_edited(
    letters: Sequence[StoredLetter], file: Path, settings: Settings, *, dry_run: bool, again: bool
) -> list[Outcome]:
    from rapport.bus.replay import from_lines
    from rapport.bus.replay import replay as send_back

    mends = from_lines(file.read_text(encoding="utf-8").splitlines())
    chosen = [stored for stored in letters if stored.name in mends]
    for name in sorted(mends.keys() - {stored.name for stored in chosen}):
        err.print(f"{name}  not sent: no such dead letter, or the filter leaves it out", markup=False)
    return asyncio.run(send_back(chosen, lambda stored: mends[stored.name], settings, dry_run=dry_run, again=again))


def _print(stored: StoredLetter) -> None:
    """Two lines that fit any width and can be searched."""
    letter = stored.letter
    key = json.dumps((stored.record.key or b"").decode(errors="replace"), ensure_ascii=False)
    tries = f"{letter.attempts} tries" if letter.attempts > 1 else "1 try"
    sent = "  [green]sent back[/]" if stored.replayed else ""
    where = f"{letter.topic}/{letter.partition}/{letter.offset}"
    out.print(
        f"[bold]{stored.name}[/]  {letter.failed_at:%Y-%m-%d %H:%M:%S}Z  {letter.kind.value}  {where}  {tries}{sent}",
        soft_wrap=True,
    )
    out.print(f"    key {key}  {letter.message[:_SHORT]}", markup=False, soft_wrap=True)


def _shown(count: int, limit: int) -> str:
    return f" (shown: {limit})" if count > limit else ""
