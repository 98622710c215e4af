"""Reading briefs: one as JSON or YAML, many as JSON lines or CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from rapport.ops.errors import InvalidRequest

Brief = dict[str, Any]
# Columns of a CSV whose cells hold several values, parted by a vertical bar.
_LISTS = ("product_ids", "statements", "personalise")


def read_one(path: Path) -> Brief:
    """Raises `InvalidRequest` naming the file."""
    try:
        # JSON is YAML too.
        brief = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise InvalidRequest(f"cannot be read: {error}", field=str(path)) from error
    if not isinstance(brief, dict):
        raise InvalidRequest("must be one brief: a mapping", field=str(path))
    return _texts(brief)


def read_many(path: Path) -> list[Brief]:
    """Each with a request_id: its own, or the file's name and the line. Raises `InvalidRequest` naming the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidRequest(f"cannot be read: {error}", field=str(path)) from error
    rows = _from_csv(text) if path.suffix == ".csv" else _from_lines(text, path)
    if not rows:
        raise InvalidRequest("has no briefs", field=str(path))
    briefs = [{"request_id": f"{path.stem}-{number}", **row} for number, row in rows]
    ids = [brief["request_id"] for brief in briefs]
    twice = sorted({each for each in ids if ids.count(each) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise InvalidRequest(f"request_id used twice: {', '.join(twice[:5])}", field=str(path))
    return briefs


def for_each(brief: Brief, customers: Sequence[str], name: str) -> list[Brief]:
    """The brief once a customer."""
    own = {key: value for key, value in brief.items() if key not in {"segment", "audience_query", "request_id"}}
    stem = str(brief.get("request_id") or name)
    return [{**own, "customer_id": customer, "request_id": f"{stem}-{customer}"} for customer in customers]


def _from_lines(text: str, path: Path) -> list[tuple[int, Brief]]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InvalidRequest(f"not JSON: {error}", field=f"{path}:{number}") from error
        if not isinstance(row, dict):
            raise InvalidRequest("must be an object", field=f"{path}:{number}")
        rows.append((number, row))
    return rows


def _from_csv(text: str) -> list[tuple[int, Brief]]:
    rows: list[tuple[int, Brief]] = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        brief: Brief = {key: value for key, value in row.items() if key and value}
        for name in _LISTS:
            if name in brief:
                brief[name] = [part.strip() for part in brief[name].split("|")]
        rows.append((number, brief))
    return rows


def _texts(brief: Brief) -> Brief:
    """YAML reads 2027-03-12 as a date and 20.5 as a number; the service wants texts there."""
    made = dict(brief)
    for name in ("starts_at", "ends_at"):
        if name in made and not isinstance(made[name], str):
            moment = made[name].isoformat()
            made[name] = moment if "T" in moment else f"{moment}T00:00:00Z"
    for name in ("discount_percent", "prior_price"):
        if name in made:
            made[name] = str(made[name])
    return made
