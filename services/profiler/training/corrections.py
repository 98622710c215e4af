"""Labels that people gave, kept with the version that learned from them, so that every later fit learns from them too.

Customers are kept by a hash of their id: a version's files are not searched when somebody's data is erased.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from rapport.models.folder import read_json

_FILE = "corrections.json"


def save(folder: Path, corrections: Mapping[str, str]) -> None:
    """Writes them into a version's `folder`."""
    (folder / _FILE).write_text(json.dumps(corrections, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(folder: Path) -> Mapping[str, str]:
    """Of the version in `folder`: label by hash. None are there as long as nobody has corrected anything."""
    return read_json(folder / _FILE)


def updated(corrections: Mapping[str, str], labels: Mapping[str, str]) -> Mapping[str, str]:
    """With `labels` by customer id, which stand instead of earlier ones; "" takes one back."""
    both = {**corrections, **{_hashed(customer): label for customer, label in labels.items()}}
    return {customer: label for customer, label in both.items() if label}


def labels_of(customers: Collection[str], corrections: Mapping[str, str]) -> Mapping[str, str]:
    """By customer id, of those of `customers` whose label somebody corrected."""
    hashes = {customer: _hashed(customer) for customer in customers} if corrections else {}
    return {customer: corrections[each] for customer, each in hashes.items() if each in corrections}


def _hashed(customer: str) -> str:
    return hashlib.blake2b(customer.encode(), digest_size=16).hexdigest()
