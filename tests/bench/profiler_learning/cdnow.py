"""BG/NBD on CDNOW against the published parameters, and what the closed forms expect against what came.

    python -m tests.bench.profiler_learning.cdnow [--data FOLDER] [--json FILE]

Protocol: `cdnow_customers_summary.csv` (2,357 customers, x, t_x and T in weeks, 39 weeks) through the very function
that `./rapport train value` calls. Published (Fader, Hardie and Lee 2005): r 0.243, alpha 4.414, a 0.793, b 2.426.
Holdout: orders of these customers in the 39 weeks after, counted by day in `CDNOW_sample.txt`, against E[Y(39)].
"""

from __future__ import annotations

import argparse
import csv
import datetime
from collections import defaultdict
from pathlib import Path

import numpy as np

from services.profiler.learning.lifetime import Lifetime
from services.profiler.training.lifetime import fit_orders
from tests.bench.figures import report
from tests.bench.profiler_learning.data import folder_of

PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
_WEEKS = 39.0
# The calibration period ends after 39 weeks: 30 September 1997.
_SPLIT = datetime.date(1997, 9, 30)


def held_out(folder: Path) -> float:
    """Orders (days with a purchase) after the split, of all customers."""
    days: dict[str, set[datetime.date]] = defaultdict(set)
    for line in (folder / "CDNOW_sample.txt").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if len(fields) >= 4 and fields[-3].isdigit() and len(fields[-3]) == 8:
            days[fields[0]].add(datetime.datetime.strptime(fields[-3], "%Y%m%d").date())  # noqa: DTZ007
    return float(sum(len({day for day in own if day > _SPLIT}) for own in days.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    folder = folder_of("cdnow", given.data)
    with (folder / "cdnow_customers_summary.csv").open(encoding="utf-8") as lines:
        rows = [(float(row["frequency"]), float(row["recency"]), float(row["T"])) for row in csv.DictReader(lines)]
    x, t_x, age = np.array(rows).T
    found = fit_orders(x, t_x, age)
    model = Lifetime(found["r"], found["alpha"], found["a"], found["b"], p=1, q=2, v=1, horizon_days=_WEEKS)
    expected = float(model.expected_orders(x, t_x, age, _WEEKS).sum())
    came = held_out(folder)
    compared = [(name, value, found[name]) for name, value in PUBLISHED.items()]
    compared.append(("orders in 39 more weeks", came, expected))
    table = [
        {"what": name, "published": published, "fitted": round(fitted, 4), "off": f"{fitted / published - 1:+.2%}"}
        for name, published, fitted in compared
    ]
    report(__doc__ or "", table, given.json)


if __name__ == "__main__":
    main()
