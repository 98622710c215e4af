"""The public data sets of the benches, read from a folder given by path; nothing of them is in the repository."""

from __future__ import annotations

import ast
import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rapport.ops.errors import NotFound
from services.recommender.evaluation.histories import Histories, Interaction, histories

DATA = Path("/work/shared/data")


def there(path: Path) -> Path:
    """Raises `NotFound` naming the file that a bench needs."""
    if not path.exists():
        raise NotFound(f"{path} is not here", field="--data", fix="the folder that holds the public data sets")
    return path


def beauty(data: Path = DATA) -> Histories:
    """Amazon Beauty 5-core: order is known, times are not (the place stands for it)."""
    text = there(data / "amazon-beauty-5core-letter" / "Beauty.inter.json").read_text()
    sequences: dict[str, list[int]] = json.loads(text)
    catalogue = [str(number) for number in range(1 + max(max(items) for items in sequences.values()))]
    return histories(
        (Interaction(user, str(item), at) for user, items in sequences.items() for at, item in enumerate(items)),
        catalogue,
    )


@dataclass(frozen=True, slots=True)
class Grocery:
    histories: Histories
    category: dict[str, str]
    complement: list[tuple[str, str]]
    """also bought"""
    substitute: list[tuple[str, str]]
    """also viewed"""


def grocery(data: Path = DATA) -> Grocery:
    """Amazon Grocery with times and relations, as ReChorus publishes it."""
    folder = there(data / "amazon-grocery-rechorus")
    with (folder / "item_meta.csv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with (folder / "train.csv").open() as file:
        dealt = [
            Interaction(row["user_id"], row["item_id"], int(row["time"]) * 1000)
            for row in csv.DictReader(file, delimiter="\t")
        ]
    known = {row["item_id"] for row in rows}

    def edges(column: str) -> list[tuple[str, str]]:
        pairs = ((row["item_id"], str(other)) for row in rows for other in ast.literal_eval(row[column]))
        return [pair for pair in pairs if pair[1] in known]

    return Grocery(
        histories(dealt, [row["item_id"] for row in rows]),
        {row["item_id"]: row["i_category"] for row in rows},
        edges("r_complement"),
        edges("r_substitute"),
    )


def retail(data: Path = DATA) -> Histories:
    """UCI online retail: what each customer bought, by the minute of the invoice; cancellations, postage and the like
    (codes without five digits) left out."""
    path = there(data / "uci-online-retail" / "online_retail_by_day_concat.csv.gz")
    return histories(_bought(path))


def _bought(path: Path) -> Iterator[Interaction]:
    with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            invoice, code, customer = row["InvoiceNo"], row["StockCode"], row["CustomerID"]
            if not customer or invoice.startswith("C") or not code[:5].isdigit() or float(row["Quantity"]) <= 0:
                continue
            at = datetime.fromisoformat(row["InvoiceDate"])
            yield Interaction(customer.removesuffix(".0"), code, int(at.timestamp() * 1000))
