"""Files in, events out: every row is published, repeated or refused with its reason."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from rapport.bus.messages import Outgoing
from rapport.events.base import Event
from rapport.events.behaviour import OrderCompleted, OrderRefunded, ProductViewed
from rapport.events.catalog import ProductUpserted
from rapport.ingest.building import Builder
from rapport.ingest.importing import Pace, run_import
from rapport.ingest.mapping import check_columns, mapper
from rapport.ingest.report import Report
from rapport.ingest.rows import read_rows
from rapport.ops.errors import InvalidRequest

LINES = [
    "Invoice,Code,Text,Qty,When,Price,Who",
    "1,A,Lantern,6,2010-12-01 08:26:00,2.55,c1",
    "1,B,Mug,2,2010-12-01 08:26:00,1.00,c1",
    "C2,A,Lantern,-6,2010-12-02 09:00:00,2.55,c1",
    "3,A,Lantern,1,2010-12-03 10:00:00,2.55,",
    "4,B,Mug,one,2010-12-03 10:00:00,1.00,c2",
    "5,B,Mug,1,someday,1.00,c2",
    "6,B,Mug,1",
    "7,A,Lantern,-1,2010-12-03 10:00:00,2.55,c3",
    "7,B,Mug,1,2010-12-03 10:00:00,2.55,c3",
]
ORDERS = ["order=Invoice", "product=Code", "name=Text", "quantity=Qty", "time=When", "price=Price", "customer=Who"]


async def run(path: Path, kind: type[Event], maps: Sequence[str], sets: Sequence[str] = (), **options: object):  # type: ignore[no-untyped-def]
    sent: list[Outgoing] = []

    async def send(outgoings: Sequence[Outgoing]) -> None:
        sent.extend(outgoings)

    log = io.StringIO()
    group_by = options.pop("group_by", None)
    builder = Builder(kind, mapper(maps, sets), "default", group_by)  # type: ignore[arg-type]
    report: Report = await run_import(read_rows(path), builder, send, refused_log=log, **options)  # type: ignore[arg-type]
    return report, sent, [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


async def test_order_lines_become_orders_and_refunds_and_nothing_is_lost(orders: Path) -> None:
    report, sent, refused = await run(orders, OrderCompleted, ORDERS, ["currency=GBP"], group_by="order_id")
    assert (report.rows, report.published_rows, report.refused_rows) == (9, 3, 6)
    bought, back = (outgoing.event for outgoing in sent)
    assert isinstance(bought, OrderCompleted)
    assert isinstance(back, OrderRefunded)
    assert (bought.order_id, bought.total, [p.quantity for p in bought.products]) == ("1", Decimal("17.30"), [6, 2])
    assert bought.occurred_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert (back.order_id, back.total, back.products[0].quantity) == ("C2", Decimal("15.30"), 6)
    assert [row["row"] for row in refused] == [4, 5, 6, 7, 8, 9]
    assert "customer_id or anonymous_id" in refused[0]["reason"]
    assert (refused[1]["field"], refused[2]["field"]) == ("quantity", "occurred_at")
    assert "4 cells under 7 columns" in refused[3]["reason"]


async def test_importing_twice_gives_the_same_event_ids(orders: Path) -> None:
    first, second = [
        (await run(orders, OrderCompleted, ORDERS, ["currency=GBP"], group_by="order_id"))[1] for _ in "12"
    ]
    assert [o.event_id for o in first] == [o.event_id for o in second]
    assert len({o.event_id for o in first}) == len(first)


async def test_every_format_gives_the_same_events(tmp_path: Path) -> None:
    rows = [{"customer_id": "c1", "product_id": f"p{n}", "context.locale": "zh-CN"} for n in range(3)]
    jsonl = tmp_path / "a.jsonl"
    jsonl.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    zipped = tmp_path / "a.csv.gz"
    header = ",".join(rows[0])
    zipped.write_bytes(gzip.compress("\n".join([header, *(",".join(r.values()) for r in rows)]).encode("utf-8-sig")))
    table = tmp_path / "a.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), table)
    found = []
    for path in (jsonl, zipped, table):
        report, sent, _ = await run(path, ProductViewed, [])
        assert report.refused_rows == 0
        found.append([outgoing.event for outgoing in sent])
    assert found[0] == found[1] == found[2]
    assert found[0][0].context.locale == "zh-CN"


async def test_catalogue_keeps_the_first_row_of_a_product(orders: Path) -> None:
    report, sent, _ = await run(
        orders,
        ProductUpserted,
        ["product=Code", "title.en=Text", "price=Price"],
        ["currency=GBP"],
        first_version_only=True,
    )
    assert [outgoing.key for outgoing in sent] == ["A", "B"]
    assert (report.repeated_rows, report.refused_rows) == (6, 1)
    assert sent[0].event.title == {"en": "Lantern"}


async def test_bad_json_lines_are_refused_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"customer_id":"c","product_id":"p"}\n{oops\n[1]\n\n{"customer_id":"\xff","product_id":"p"}\n')
    report, sent, refused = await run(path, ProductViewed, [])
    assert (len(sent), [row["row"] for row in refused]) == (2, [2, 3])
    assert report.rows == 4


async def test_slow_replay_keeps_the_distance_in_time(tmp_path: Path) -> None:
    import time

    path = tmp_path / "a.csv"
    path.write_text("customer_id,product_id,occurred_at\nc,p,2026-01-01T00:00:00Z\nc,q,2026-01-01T00:01:00Z\n")
    began = time.monotonic()
    await run(path, ProductViewed, [], pace=Pace(300))
    assert time.monotonic() - began >= 0.2


def test_wrong_mapping_is_named_with_the_columns_there_are() -> None:
    with pytest.raises(InvalidRequest, match="no column Nope") as caught:
        check_columns(mapper(["customer=Nope"], []), {"Who": 1, "What": 2})
    assert caught.value.fix == "columns: Who, What"
    for wrong in ("customer", "=x", "customer="):
        with pytest.raises(InvalidRequest, match="is not field=column"):
            mapper([wrong], [])
    with pytest.raises(InvalidRequest, match="no such time zone"):
        mapper([], [], zone="Mars/Olympus")


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("x")
    (tmp_path / "a.parquet").write_text("x")
    (tmp_path / "a.csv.gz").write_bytes(b"not gzip")
    (tmp_path / "utf16.csv").write_text("SKU,Name", encoding="utf-16")
    parquet.write_table(pa.table({"SKU": ["p-1"]}), tmp_path / "cut.parquet")
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:4] + bytes(40) + whole[44:])
    for name in ("nowhere.csv", "a.xlsx", "a.parquet", "a.csv.gz", "utf16.csv", "cut.parquet"):
        with pytest.raises(InvalidRequest) as caught:
            list(read_rows(tmp_path / name))
        assert caught.value.field == "FILE", name


def test_a_spreadsheet_s_semicolons_separate_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("SKU;Name\np-1;Shoes, red\n")
    assert [row.values for row in read_rows(tmp_path / "a.csv")] == [{"SKU": "p-1", "Name": "Shoes, red"}]


def test_the_time_may_be_called_as_the_recommender_s_files_call_it() -> None:
    assert mapper(["at=When"], []).fields({"When": 1_767_225_600_000}) == {"occurred_at": 1_767_225_600_000}


def test_times_take_format_and_zone() -> None:
    mapped = mapper(["time=When"], [], time_format="%d/%m/%Y %H:%M", zone="Europe/London")
    assert mapped.fields({"When": "01/07/2010 08:26"})["occurred_at"].astimezone(UTC).hour == 7
    with pytest.raises(InvalidRequest) as caught:
        mapped.fields({"When": "July"})
    assert caught.value.field == "occurred_at"
