"""Labels that people gave, from files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from rapport.ops.errors import InvalidRequest


def read_labels(file: Path) -> Mapping[str, str]:
    """By customer id; a customer's last line counts, "" where it has no label.

    Raises `InvalidRequest` for a file that has no such columns.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}", field="--labels") from error
    found = {
        row["customer_id"].strip(): (row["label"] or "").strip()
        for row in rows
        if (row.get("customer_id") or "").strip() and "label" in row
    }
    if not found:
        raise InvalidRequest(
            f"{file} has no labels", field="--labels", fix="a CSV file with the columns customer_id and label"
        )
    return found
