"""Training data as Parquet: `interactions.parquet` and `impressions.parquet`, written here or by a shop's own tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from rapport.ops.errors import InvalidRequest
from services.recommender.training.impressions import Seen
from services.recommender.training.reading import Data
from services.recommender.training.signals import WEIGHTS, Signal

INTERACTIONS, IMPRESSIONS = "interactions.parquet", "impressions.parquet"
_FEATURE, _SHADOW = "feature_", "shadow_"
# Rows of a file of one's own need no more than these.
_NEEDED = ("customer_id", "product_id", "at")


def write(data: Data, folder: Path, names: Sequence[str]) -> dict[str, int]:
    """Both files, with one row an interaction and one a seen item; `names` of the features. Returns rows by file."""
    folder.mkdir(parents=True, exist_ok=True)
    interactions = [
        {
            "customer_id": data.aliases.get(one.customer_id, one.customer_id),
            "product_id": one.product_id,
            "event": one.kind,
            "at": one.at_ms,
            "weight": one.weight,
            "segment": data.segments.get(one.customer_id, ""),
        }
        for one in data.signals
    ]
    impressions = [row for one in data.seen for row in _rows(one, names)]
    _save(interactions, folder / INTERACTIONS)
    _save(impressions, folder / IMPRESSIONS)
    return {INTERACTIONS: len(interactions), IMPRESSIONS: len(impressions)}


def from_files(path: Path, tenant: str) -> Data:
    """A folder with the files, or the interactions alone. Only customer_id, product_id and at (a time, its ISO 8601
    text, or milliseconds) must be there; without `event` every row is a look. Raises `InvalidRequest` naming the row
    and what is missing or malformed."""
    data = Data(tenant)
    file = path / INTERACTIONS if path.is_dir() else path
    for number, row in enumerate(_read(file, _NEEDED), 1):
        kind = row.get("event") or "product_viewed"
        if kind not in WEIGHTS:
            raise InvalidRequest(f"row {number}: {kind!r}", field="event", fix=f"one of {', '.join(WEIGHTS)}")
        empty = [name for name in _NEEDED if row[name] is None or row[name] == ""]
        if empty:
            raise InvalidRequest(f"row {number}: empty", field=empty[0], fix="leave out rows that do not have it")
        customer, at_ms = str(row["customer_id"]), _ms(row["at"], f"row {number}")
        data.signals.append(Signal(tenant, customer, str(row["product_id"]), kind, at_ms))
        if row.get("segment"):
            data.segments[customer] = row["segment"]
    seen = path / IMPRESSIONS
    if path.is_dir() and seen.is_file():
        rows = _read(seen, ("recommendation_id", "shown_at", "position", "gain"))
        data.seen = [_seen(list(group), tenant) for _, group in groupby(rows, key=lambda row: row["list"])]
    return data


def _rows(one: Seen, names: Sequence[str]) -> list[dict[str, Any]]:
    if one.features.shape[1] != len(names):
        # Of an older version of the features: their columns have other meanings.
        names = [str(number) for number in range(one.features.shape[1])]
    return [
        {
            "list": f"{one.recommendation_id}@{one.shown_ms}",
            "recommendation_id": one.recommendation_id,
            "customer_id": one.customer_id,
            "shown_at": one.shown_ms,
            "ranker": one.ranker,
            "variation": one.variation,
            "product_id": product_id,
            "position": int(one.positions[row]),
            "score": float(one.scores[row]),
            "propensity": float(one.propensities[row]),
            "gain": int(one.gains[row]),
            "layout": one.feature_version,
            **{f"{_SHADOW}{name}": float(values[row]) for name, values in one.shadows.items()},
            **{f"{_FEATURE}{name}": float(one.features[row, at]) for at, name in enumerate(names)},
        }
        for row, product_id in enumerate(one.product_ids)
    ]


def _seen(rows: Sequence[Mapping[str, Any]], tenant: str) -> Seen:
    first = rows[0]
    features = [name for name in first if name.startswith(_FEATURE) and first[name] is not None]
    shadows = [name for name in first if name.startswith(_SHADOW) and first[name] is not None]

    def column(name: str, kind: type[np.float32 | np.int32]) -> Any:
        return np.array([row[name] for row in rows], dtype=kind)

    return Seen(
        tenant,
        first["recommendation_id"],
        first["customer_id"],
        _ms(first["shown_at"], first["list"]),
        first["ranker"],
        first["variation"],
        first["layout"],
        tuple(row["product_id"] for row in rows),
        column("position", np.int32),
        column("score", np.float32),
        column("propensity", np.float32),
        {name.removeprefix(_SHADOW): column(name, np.float32) for name in shadows},
        np.array([[row[name] for name in features] for row in rows], dtype=np.float32),
        column("gain", np.int32),
    )


def _save(rows: Sequence[Mapping[str, Any]], file: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    # Lists of another feature version have other columns: all are there, and empty where a row has none.
    names = dict.fromkeys(name for row in rows for name in row)
    parquet.write_table(pyarrow.table({name: [row.get(name) for row in rows] for name in names}), file)


def _read(file: Path, needed: Sequence[str]) -> list[dict[str, Any]]:
    from pyarrow import ArrowInvalid, parquet

    try:
        table = parquet.read_table(file)
    except FileNotFoundError as error:
        raise InvalidRequest(f"there is no {file}", field="--from") from error
    except (OSError, ArrowInvalid) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}", field="--from", fix="give a Parquet file") from error
    missing = [name for name in needed if name not in table.column_names]
    if missing and len(table):
        raise InvalidRequest(
            f"{file.name} has no column {', '.join(missing)}",
            field="--from",
            fix=f"rename those that are meant: it has {', '.join(table.column_names)}",
        )
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _ms(at: Any, where: str) -> int:
    """Milliseconds since 1970; a day is its midnight, what names no zone is UTC."""
    if isinstance(at, int | float):
        return int(at)
    try:
        moment = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
    except ValueError as error:
        raise InvalidRequest(
            f"{where}: {at!r} is no time", field="at", fix="2026-03-01T10:00:00Z, or milliseconds since 1970"
        ) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
