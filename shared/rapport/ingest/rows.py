"""Rows of a file, as they stand in it: streamed, so that memory does not grow with the file."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from pyarrow import parquet

from rapport.ops.errors import InvalidRequest

# Longest CSV field, in characters: Python's own limit of 131,072 stops at large descriptions with an unclear error.
_LONGEST_FIELD = 1_000_000
_PARQUET_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` counts from 1, the header not among them. Empty text counts as missing.

    `problem`: why the row could not be read at all.
    """

    number: int
    values: Mapping[str, Any]
    problem: str = ""


def read_rows(path: Path, advanced: Callable[[int], None] = lambda _: None) -> Iterator[Row]:
    """Rows of a .csv, .tsv, .jsonl/.ndjson (each also .gz) or .parquet file.

    `advanced` is told the bytes of the file read so far. Raises `InvalidRequest` for a file that cannot be opened.
    """
    if not path.is_file():
        raise InvalidRequest(f"no such file: {path}", field="FILE")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else (suffixes or [""])[-1]
    if kind == ".parquet":
        return _parquet(path, advanced)
    if kind in {".csv", ".tsv"}:
        return _delimited(path, "\t" if kind == ".tsv" else None, advanced)
    if kind in {".jsonl", ".ndjson", ".json"}:
        return _json_lines(path, advanced)
    raise InvalidRequest(
        f"cannot tell the format of {path.name}", field="FILE", fix="name it .csv, .tsv, .jsonl or .parquet"
    )


def _lines(path: Path, advanced: Callable[[int], None]) -> Iterator[str]:
    with path.open("rb") as raw:
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if path.suffix.lower() == ".gz" else raw
        try:
            for line in stream:
                advanced(raw.tell())
                # A byte order mark is the sign of a spreadsheet; bad bytes show as � and are refused where they matter.
                yield line.decode("utf-8-sig", errors="replace")
        except (OSError, EOFError) as error:
            raise InvalidRequest(f"{path.name} breaks off: {error}", field="FILE") from error


def _delimited(path: Path, delimiter: str | None, advanced: Callable[[int], None]) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_FIELD)
    lines = _lines(path, advanced)
    first = next(lines, "")
    if "\0" in first:
        raise InvalidRequest(f"{path.name} is not UTF-8 text", field="FILE", fix="save it as CSV UTF-8")
    # Spreadsheets write semicolons where the comma is the decimal sign.
    marks = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter or marks)
    header = next(reader, None)
    if not header:
        raise InvalidRequest(f"{path.name} has no header line", field="FILE")
    for number, cells in enumerate(reader, 1):
        if len(cells) != len(header):
            yield Row(number, {"row": cells}, f"{len(cells)} cells under {len(header)} columns")
        else:
            yield Row(number, _present(dict(zip(header, cells, strict=True))))


def _json_lines(path: Path, advanced: Callable[[int], None]) -> Iterator[Row]:
    for number, line in enumerate(_lines(path, advanced), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(number, {"row": line[:200]}, f"not JSON: {error}")
            continue
        if isinstance(values, dict):
            yield Row(number, _present(values))
        else:
            yield Row(number, {"row": values}, "not a JSON object")


def _parquet(path: Path, advanced: Callable[[int], None]) -> Iterator[Row]:
    number = 0
    try:
        source = parquet.ParquetFile(path)
        size, total = path.stat().st_size, max(source.metadata.num_rows, 1)
        for batch in source.iter_batches(batch_size=_PARQUET_ROWS):
            for values in batch.to_pylist():
                number += 1
                yield Row(number, _present(values))
            advanced(size * number // total)
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path.name} is no Parquet file, or broken: {error}", field="FILE") from error


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != ""}
