"""Example sentences of intents, from a shop's file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport.ingest.rows import read_rows
from rapport.ops.errors import InvalidRequest
from rapport.text.normalise import normalise
from services.chatbot.domain.reading import OUT_OF_SCOPE

# An intent with fewer has nothing left to be tried on after the five folds have taken theirs.
LEAST = 10


# Rows that a message names; the others are counted.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Given:
    """`pairs`: text and intent, each text once. `refused`: what was left out and why, row by row."""

    pairs: Sequence[tuple[str, str]]
    refused: Sequence[str]


def read_examples(file: Path, text: str = "text", intent: str = "intent", *, least: int = LEAST) -> Given:
    """Rows with the columns `text` and `intent`. Raises `InvalidRequest` naming the file's columns when these lack, and
    the rows of an intent of fewer than `least` examples."""
    found: dict[str, tuple[str, int]] = {}
    refused: list[str] = []
    columns: set[str] = set()
    for row in read_rows(file):
        columns |= row.values.keys() if not row.problem else set()
        said, name = normalise(str(row.values.get(text, ""))), str(row.values.get(intent, "")).strip()
        problem = row.problem or _problem(said, name, text, intent)
        if not problem and said in found and found[said][0] != name:
            problem = f"{said!r} stands for {found[said][0]} already (row {found[said][1]})"
        if problem:
            refused.append(f"row {row.number}: {problem}")
        else:
            found.setdefault(said, (name, row.number))
    if not {text, intent} <= columns:
        raise InvalidRequest(
            f"{file.name} lacks the columns {text} and {intent}",
            field="FILE",
            fix=f"there: {', '.join(sorted(columns)) or 'none'}; name yours with --text and --intent{_listed(refused)}",
        )
    _enough(found, least, file, refused)
    return Given([(said, name) for said, (name, _) in found.items()], refused)


def beside(file: Path, text: str, intent: str, learned: Collection[str], option: str) -> dict[str, str]:
    """Intent by text of a file given beside the examples. Raises `InvalidRequest` naming its `option` where it has an
    intent that is not `learned`, or none that is in scope."""
    told = dict(read_examples(file, text, intent, least=1).pairs)
    intents = set(told.values()) - {OUT_OF_SCOPE}
    if strange := sorted(intents - set(learned)):
        raise InvalidRequest(f"{file.name} has intents that are not learned: {', '.join(strange)}", field=option)
    if not intents:
        raise InvalidRequest(
            f"{file.name} has nothing but {OUT_OF_SCOPE}", field=option, fix="sentences of the intents as well"
        )
    return told


def _problem(said: str, name: str, text: str, intent: str) -> str:
    if not said or not name:
        return f"{intent if said else text} is empty"
    return "not UTF-8" if "\N{REPLACEMENT CHARACTER}" in said + name else ""


def _enough(found: Mapping[str, tuple[str, int]], least: int, file: Path, refused: Sequence[str]) -> None:
    rows: dict[str, list[int]] = {}
    for name, number in found.values():
        rows.setdefault(name, []).append(number)
    few = [
        f"{name} has {len(at)} (row {', '.join(map(str, at))})" for name, at in sorted(rows.items()) if len(at) < least
    ]
    if few or not rows:
        raise InvalidRequest(
            f"{file.name} has too few examples of an intent: {'; '.join(few[:_NAMED]) or 'none at all'}",
            field="FILE",
            fix=f"at least {least} of each{_listed(refused)}",
        )


def _listed(refused: Sequence[str]) -> str:
    shown = "; ".join(refused[:_NAMED])
    return f". {len(refused)} rows were left out: {shown}" if refused else ""
