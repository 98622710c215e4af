"""GrowthBook's published test vectors (tests/cases.json of its SDKs) against what assigns here.

    python -m tests.bench.content.growthbook_vectors PATH/cases.json

Checks "hash" through the library that is used, and every "getBucketRange" case through `assign`: 10,000 customers
must fall where the vector's ranges put their hash. The file is not kept here; any SDK's repository has it.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from growthbook.core import gbhash, getBucketRanges

from rapport.events.experiments import ExperimentChanged, VariationInfo
from services.content.domain.experiments.assignment import assign

CUSTOMERS = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    cases = json.loads(parser.parse_args().cases.read_text(encoding="utf-8"))
    right = sum(gbhash(seed, value, version) == expected for seed, value, version, expected in cases["hash"])
    print(f"hash: {right} of {len(cases['hash'])} vectors agree")
    ranges = customers = 0
    for _, (count, coverage, weights), expected in cases["getBucketRange"]:
        found = getBucketRanges(count, coverage, weights)
        ranges += all(
            math.isclose(a, b, abs_tol=1e-9)
            for own, theirs in zip(found, expected, strict=True)
            for a, b in zip(own, theirs, strict=True)
        )
        customers += _assigned_as(count, coverage, weights, expected)
    print(f"bucket ranges: {ranges} of {len(cases['getBucketRange'])} vectors agree")
    print(f"assign(): {customers} of {len(cases['getBucketRange'])} vectors agree for {CUSTOMERS} customers each")


def _assigned_as(count: int, coverage: float, weights: list[float] | None, expected: list[list[float]]) -> bool:
    """Whether every customer is where the vector's ranges put them."""
    experiment = ExperimentChanged.model_validate({
        "experiment_id": "vectors", "content_id": "k", "started_at": "2026-03-01T00:00:00Z",
        "plan": {"coverage": min(1.0, max(0.0, coverage))},
        "variations": [VariationInfo(variation_id=str(at), author="template") for at in range(count)],
    })  # fmt: skip
    for number in range(CUSTOMERS):
        bucket = gbhash("vectors", f"c-{number}", 2)
        assert bucket is not None
        wanted = next((str(at) for at, (low, high) in enumerate(expected) if low <= bucket < high), None)
        if assign(experiment, f"c-{number}", weights or []) != wanted:
            return False
    return True


if __name__ == "__main__":
    main()
