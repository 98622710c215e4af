"""Every way in which a message can be wrong, as bytes on the wire, with what must become of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.e2e.page import Json, Page

LARGE_BYTES = 5_000_000
# A dozen of these already is more than all the others together.
LARGE = 8
# In no catalogue, so that it is recommended to nobody.
PRODUCT = "e2e-unlisted"


@dataclass(frozen=True, slots=True)
class Wire:
    """One message as it is sent."""

    name: str
    """What is wrong with it; "good" for nothing."""
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    kind: str = ""
    """Of the dead letter that it must become."""
    field: str | None = None
    """That the dead letter must name, where it can be known."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes messages of one run; `note` is in every payload that can be read."""

    page: Page
    note: str

    def good(self, customer: str, event_id: str) -> Wire:
        payload = {"customer_id": customer, "product_id": PRODUCT, "note": self.note}
        headers = self.page.headers("product_viewed", ce_id=event_id)
        return _wire("good", customer.encode(), json.dumps(payload).encode(), headers, "", None)

    def bad(self, name: str, customer: str, event_id: str) -> Wire:
        return _CASES[name](self, customer, event_id)

    def changed(self, name: str, customer: str, event_id: str, field: str | None, **payload: object) -> Wire:
        """A good one with other payload fields (None: left out)."""
        own: Json = {"customer_id": customer, "product_id": PRODUCT, "note": self.note} | payload
        body = json.dumps({key: value for key, value in own.items() if value is not None}).encode()
        headers = self.page.headers("product_viewed", ce_id=event_id)
        return _wire(name, customer.encode(), body, headers, "schema_violation", field)

    def valued(self, name: str, customer: str, event_id: str, value: bytes | None, kind: str = "") -> Wire:
        headers = self.page.headers("product_viewed", ce_id=event_id)
        return _wire(name, customer.encode(), value, headers, kind or "schema_violation", None)

    def headed(self, name: str, customer: str, event_id: str, field: str, drop: str = "", **headers: str) -> Wire:
        good = self.good(customer, event_id)
        own = {key: raw.decode() for key, raw in good.headers if key != drop} | headers
        return _wire(name, good.key, good.value, own, "schema_violation", field)

    def keyed(self, name: str, customer: str, event_id: str, key: bytes | None) -> Wire:
        good = self.good(customer, event_id)
        return _wire(name, key, good.value, {k: raw.decode() for k, raw in good.headers}, "schema_violation", "key")


def _wire(name: str, key: bytes | None, value: bytes | None, headers: Json, kind: str, field: str | None) -> Wire:
    return Wire(name, key, value, tuple((k, str(text).encode()) for k, text in headers.items()), kind, field)


def _large(make: Maker, customer: str, event_id: str) -> Wire:
    filler = json.dumps(
        {"customer_id": customer, "product_id": PRODUCT, "note": make.note, "filler": "x" * LARGE_BYTES}
    )
    return make.valued("5 MB", customer, event_id, filler.encode(), "size_violation")


_CASES: dict[str, Callable[[Maker, str, str], Wire]] = {
    "bad JSON": lambda make, who, id_: make.valued("bad JSON", who, id_, b'{"customer_id": "' + who.encode()),
    "wrong type": lambda make, who, id_: make.changed("wrong type", who, id_, "product_id", product_id=[PRODUCT]),
    "nobody": lambda make, who, id_: make.changed("nobody", who, id_, None, customer_id=None),
    "no product": lambda make, who, id_: make.changed("no product", who, id_, "product_id", product_id=None),
    "no event id": lambda make, who, id_: make.headed("no event id", who, id_, "ce_id", drop="ce_id"),
    "unknown event": lambda make, who, id_: make.headed(
        "unknown event", who, id_, "ce_type", ce_type="rapport.product_teleported.v1"
    ),
    "wrong version": lambda make, who, id_: make.headed(
        "wrong version", who, id_, "ce_type", ce_type="rapport.product_viewed.v7"
    ),
    "null": lambda make, who, id_: make.valued("null", who, id_, None),
    "not UTF-8": lambda make, who, id_: make.valued("not UTF-8", who, id_, b'{"customer_id": "\xff\xfe\xfa"}'),
    "no key": lambda make, who, id_: make.keyed("no key", who, id_, None),
    "wrong key": lambda make, who, id_: make.keyed("wrong key", who, id_, b"somebody else"),
    "5 MB": _large,
}


def mixed(make: Maker, customers: Sequence[str], bad: int, good_each: int) -> list[Wire]:
    """`bad` malformed messages of every kind, among `good_each` good ones of each customer, in an order by chance."""
    names = [name for name in _CASES if name != "5 MB"]
    wanted = ["5 MB"] * LARGE + [names[number % len(names)] for number in range(bad - LARGE)]
    wires = [
        make.bad(name, customers[number % len(customers)], f"{make.note}-bad-{number}")
        for number, name in enumerate(wanted)
    ]
    wires += [make.good(who, f"{make.note}-{who}-{number}") for who in customers for number in range(good_each)]
    random.Random(7).shuffle(wires)
    return wires
