"""From events to what models learn from: signals, impressions joined to clicks, files."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rapport.events.behaviour import Behaviour, OrderCompleted, OrderRefunded, ProductReviewed, ProductViewed
from rapport.events.behaviour import Identify as IdentifyEvent
from rapport.events.recommendations import ImpressionRecorded
from rapport.ops.errors import InvalidRequest
from rapport.vectors.packing import pack
from services.recommender.training.files import from_files, write
from services.recommender.training.impressions import WINDOW_MS, joined, lists_of
from services.recommender.training.reading import Data
from services.recommender.training.signals import Signal, alias, histories_of, signals

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)


def _signals(*events: Behaviour) -> list[Signal]:
    return [signal for at, event in enumerate(events) for signal in signals(event, "default", event.subject, at)]


def _history(*events: Behaviour, aliases: dict[str, str] | None = None) -> dict[str, list[str]]:
    whole = histories_of(_signals(*events), aliases or {})
    return {user: [whole.items[item] for item in whole.of(at)] for at, user in enumerate(whole.users)}


def _viewed(product: str, customer: str = "c") -> ProductViewed:
    return ProductViewed(customer_id=customer, product_id=product)


def _ordered(*products: str) -> OrderCompleted:
    return OrderCompleted.model_validate(
        {"customer_id": "c", "order_id": "o", "total": "1", "currency": "EUR",
         "products": [{"product_id": each} for each in products]}
    )  # fmt: skip


def test_a_product_looked_at_several_times_in_a_row_counts_once() -> None:
    assert _history(_viewed("a"), _viewed("a"), _viewed("b"), _viewed("a")) == {"c": ["a", "b", "a"]}


def test_what_was_sent_back_is_not_learned() -> None:
    refund = OrderRefunded.model_validate({"customer_id": "c", "order_id": "o", "products": [{"product_id": "a"}]})
    assert _history(_viewed("a"), _ordered("a", "b"), refund) == {"c": ["b"]}


def test_a_bad_review_takes_the_product_out_a_good_one_does_not() -> None:
    def review(product: str, stars: float) -> ProductReviewed:
        return ProductReviewed(customer_id="c", product_id=product, review_body="…", rating=stars)

    assert _history(_ordered("a", "b"), review("a", 1), review("b", 5))["c"][0] == "b"
    assert "a" not in _history(_ordered("a", "b"), review("a", 1))["c"]


def test_the_visitor_and_the_customer_are_one() -> None:
    known = IdentifyEvent(customer_id="c", anonymous_id="visitor")
    names = alias(known)
    assert names == ("visitor", "c")
    first = ProductViewed(anonymous_id="visitor", product_id="a")
    assert _history(first, _viewed("b"), aliases=dict([names])) == {"c": ["a", "b"]}


def _impression(
    recommendation: str, *products: str, at: datetime = NOON, propensity: float = 1.0
) -> ImpressionRecorded:
    rows = np.arange(len(products) * 3, dtype=np.float32).reshape(-1, 3)
    return ImpressionRecorded.model_validate(
        {
            "recommendation_id": recommendation, "customer_id": "c", "shown_at": at, "made_at": at, "source": "pull",
            "strategy": "trending", "product_ids": products, "positions": range(len(products)),
            "scores": [0.5] * len(products), "propensities": [propensity] * len(products), "feature_version": 1,
            "features": base64.b64encode(pack(rows, np.float32)).decode(),
        }
    )  # fmt: skip


def test_a_click_belongs_to_the_list_it_was_made_in_within_the_window() -> None:
    clicks = {
        ("default", "r1", "b"): [NOON_MS + 1000],
        ("default", "r2", "a"): [NOON_MS + WINDOW_MS + 1],
        ("other", "r1", "a"): [NOON_MS + 1000],
    }
    shown = [("default", _impression("r1", "a", "b")), ("default", _impression("r2", "a", "b"))]
    first, second = joined(shown, clicks, [])
    assert first.gains.tolist() == [0, 1]
    assert second.gains.tolist() == [0, 0]


def test_an_order_counts_for_more_than_a_click_but_only_after_one() -> None:
    clicks = {("default", "r", "b"): [NOON_MS + 1000]}
    bought = [Signal("default", "c", product, "order_completed", NOON_MS + 5000) for product in "ab"]
    (seen,) = joined([("default", _impression("r", "a", "b"))], clicks, bought)
    assert seen.gains.tolist() == [0, 3]


def test_an_impression_told_twice_counts_once() -> None:
    shown = [("default", _impression("r", "a", "b"))] * 2
    assert len(joined(shown, {}, [])) == 1


def test_what_was_explored_or_clicked_far_down_weighs_more_up_to_a_limit() -> None:
    shown = [
        ("default", _impression("r1", "a", propensity=0.5)),
        ("default", _impression("r2", "b", propensity=0.001)),
        ("default", _impression("r3", "c", "d", "e")),
    ]
    lists = lists_of(joined(shown, {("default", "r3", "e"): [NOON_MS]}, []))
    assert lists.weights == pytest.approx([2.0, 10.0, 1.0, 1.0, 3.0])


def test_what_is_exported_is_read_back(tmp_path: Path) -> None:
    data = Data("default", _signals(_viewed("a"), _ordered("b")), {"v": "c"}, segments={"c": "gardeners"})
    data.seen = joined([("default", _impression("r", "a", "b"))], {("default", "r", "a"): [NOON_MS]}, [])
    assert write(data, tmp_path, ["x", "y", "z"]) == {"interactions.parquet": 2, "impressions.parquet": 2}
    again = from_files(tmp_path, "default")
    assert again.signals == data.signals
    assert again.segments == data.segments
    (before,), (after,) = data.seen, again.seen
    assert after.features.tolist() == before.features.tolist()
    assert after.gains.tolist() == before.gains.tolist() == [1, 0]
    assert (after.recommendation_id, after.shown_ms) == ("r", NOON_MS)


def test_a_shop_s_own_file_needs_three_columns(tmp_path: Path) -> None:
    (signal,) = from_files(_own_file(tmp_path, customer_id="c", product_id="a", at=NOON), "default").signals
    assert (signal.kind, signal.at_ms) == ("product_viewed", NOON_MS)


@pytest.mark.parametrize("at", [NOON, NOON.isoformat(), NOON.replace(tzinfo=None), NOON_MS])
def test_a_time_may_be_written_in_several_ways(tmp_path: Path, at: object) -> None:
    (signal,) = from_files(_own_file(tmp_path, customer_id="c", product_id="a", at=at), "default").signals
    assert signal.at_ms == NOON_MS


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"user": "c", "product_id": "a", "at": 1}, "no column customer_id .*it has user, product_id, at"),
        ({"customer_id": "c", "product_id": "a", "at": "soon"}, "at: row 1: 'soon' is no time"),
        ({"customer_id": "c", "product_id": "a", "at": None}, "at: row 1: empty"),
        ({"customer_id": "", "product_id": "a", "at": 1}, "customer_id: row 1: empty"),
        ({"customer_id": "c", "product_id": "a", "at": 1, "event": "viewd"}, "event: row 1: 'viewd'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_by_row_and_column(
    tmp_path: Path, columns: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        from_files(_own_file(tmp_path, **columns), "default")


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("customer_id,product_id,at")
    with pytest.raises(InvalidRequest, match="give a Parquet file"):
        from_files(tmp_path / "rows.csv", "default")
    with pytest.raises(InvalidRequest, match="there is no"):
        from_files(tmp_path / "gone.parquet", "default")


def _own_file(folder: Path, **columns: object) -> Path:
    """A file with one row."""
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({name: [value] for name, value in columns.items()}), folder / "own.parquet")
    return folder / "own.parquet"
