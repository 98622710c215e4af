"""Demand against stock: what is looked at and put into carts while it runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.profiler.insights.buckets import HOUR_MS, Buckets
from services.profiler.insights.finding import DAY_MS, Finding, Windows, rate_differs

Stock = Callable[[str], tuple[str, int | None] | None]
"""Title and pieces of a product: None when it is not in the catalogue; pieces None when nobody counts them."""
# Pieces that are wanted from this many days of demand on; a supplier takes about so long.
_COVER_DAYS = 3.0
_LEAST_LOOKS, _LEAST_PIECES = 8, 4


class Demand:
    """Looks and pieces by product."""

    def __init__(self) -> None:
        self._looks: Buckets[str] = Buckets()
        self._carts: Buckets[str] = Buckets()
        self._sold: Buckets[str] = Buckets()

    def look(self, product: str, at: int, event_id: str) -> None:
        self._looks.add(product, at, event_id)

    def cart(self, product: str, at: int, event_id: str) -> None:
        self._carts.add(product, at, event_id)

    def sell(self, product: str, at: int, pieces: int, event_id: str) -> None:
        self._sold.add(product, at, event_id, pieces)

    def forget(self, before: int) -> None:
        for buckets in (self._looks, self._carts, self._sold):
            buckets.forget(before)

    def findings(self, windows: Windows, stock: Stock) -> Iterator[Finding]:
        looks = self._looks.totals(windows.start, windows.until)
        first = self._looks.first()
        if first is None:
            return
        days = max(windows.now - max(windows.start, first), HOUR_MS) / DAY_MS
        for product, seen in looks.most_common():
            known = stock(product)
            title, pieces = known or ("", None)
            if pieces is None or seen < _LEAST_LOOKS:
                continue
            if pieces == 0:
                yield self._missed(product, title, seen, windows)
                continue
            sold = self._sold.total(product, windows.start, windows.until)
            # The pace of the first minutes is nobody's pace.
            steady = windows.now - first >= windows.recent_ms / 2
            if steady and sold >= _LEAST_PIECES and pieces * days < _COVER_DAYS * sold:
                yield self._short(product, title, (sold, pieces, pieces * days / sold), windows)

    def _missed(self, product: str, title: str, seen: int, windows: Windows) -> Finding:
        return Finding(
            "demand_without_stock",
            f"product:{product}",
            f"{title} is sold out and was looked at {seen} times.",
            seen,
            rate_differs(seen, 1.0, 0, 1.0),
            windows.start,
            windows.now,
            self._looks.evidence(product),
            {"looks": seen, "stock": 0, "unit": "looks"},
        )

    def _short(self, product: str, title: str, facts: tuple[int, int, float], windows: Windows) -> Finding:
        sold, pieces, lasts = facts
        return Finding(
            "stock_runs_out",
            f"product:{product}",
            f"{title} lasts {lasts:.1f} days more at the pace of {sold} pieces lately: {pieces} are left.",
            round(lasts, 1),
            # Of a Poisson number of sales the spread is its root: how sure the pace is above what the stock covers.
            rate_differs(sold, 1.0, pieces, _COVER_DAYS),
            windows.start,
            windows.now,
            self._sold.evidence(product),
            {"sold": sold, "stock": pieces, "days_left": round(lasts, 2), "unit": "days of stock"},
        )
