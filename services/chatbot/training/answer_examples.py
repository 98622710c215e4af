"""Questions with the passage that answers them and the place of the answer in it, from a shop's file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rapport.ingest.rows import read_rows
from rapport.models.tuning.answers import Asked
from rapport.ops.errors import InvalidRequest

# Fewer teach nothing: a thousand are a good beginning.
LEAST = 50


def read_answers(file: Path, *, least: int = LEAST) -> list[Asked]:
    """Rows with question, passage, answer and start (its first character; may be missing where the answer stands in the
    passage once). An empty answer: the passage does not answer.

    Raises `InvalidRequest` naming row and field of the first that is wrong, or for fewer than `least` rows.
    """
    found = list(_asked(file))
    if len(found) < least:
        raise InvalidRequest(f"{len(found)} questions", field="FILE", fix=f"at least {least}")
    return found


def _asked(file: Path) -> Iterator[Asked]:
    for row in read_rows(file):
        where = f"row {row.number} of {file.name}"
        if row.problem:
            raise InvalidRequest(row.problem, field=where)
        question, passage = (_text(row.values, name, where) for name in ("question", "passage"))
        if not question.strip() or not passage.strip():
            raise InvalidRequest("empty", field=f"{where}: {'passage' if question.strip() else 'question'}")
        answer = _text(row.values, "answer", where)
        start = _start(row.values.get("start"), passage, answer, where) if answer else 0
        yield Asked(question, passage, start, start + len(answer))


def _text(values: Mapping[str, Any], name: str, where: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise InvalidRequest(f"{value!r} is no text", field=f"{where}: {name}")
    return value


def _start(given: object, passage: str, answer: str, where: str) -> int:
    if given is None:
        if passage.count(answer) != 1:
            wrong = f"the answer stands in the passage {passage.count(answer)} times"
            raise InvalidRequest(wrong, field=f"{where}: start", fix="give its first character")
        return passage.index(answer)
    try:
        start = int(str(given))
    except ValueError as error:
        raise InvalidRequest(f"{given!r} is no number", field=f"{where}: start") from error
    if start < 0 or passage[start : start + len(answer)] != answer:
        raise InvalidRequest(f"from {start} on the passage does not say the answer", field=f"{where}: start")
    return start
