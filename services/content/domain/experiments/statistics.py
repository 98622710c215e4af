"""Intervals and tests for rates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats

# Where the confidence sequence is tightest, in customers of both variations together. Any value keeps the guarantee;
# this one suits tests of some thousands of customers (GrowthBook's default for its sequential engine is 5,000).
_TUNED_FOR = 5000


def wilson(successes: int, customers: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a rate (Wilson 1927). (0, 1) without customers."""
    if customers == 0:
        return 0.0, 1.0
    # Outcomes and views come over two topics: for a moment there may be more of the former.
    successes = min(successes, customers)
    z = float(stats.norm.ppf((1 + confidence) / 2))
    rate, square = successes / customers, z * z
    middle = (rate + square / (2 * customers)) / (1 + square / customers)
    half = z * math.sqrt(rate * (1 - rate) / customers + square / (4 * customers**2)) / (1 + square / customers)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference_sequence(a: tuple[int, int], b: tuple[int, int], alpha: float) -> tuple[float, float]:
    """Interval of rate(b) − rate(a) that holds at every look, with chance 1 − `alpha` (successes, customers each).

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit
    theory" (Annals of Statistics 2024), as GrowthBook's sequential tests use it: with N customers in all and s the
    standard error, half = s·√N · √(2(Nρ²+1)/(N²ρ²) · ln(√(Nρ²+1)/α)). Rates get one success and one failure more, so
    that a variation without any success has no variance of 0. (−1, 1) while a variation has no customers.
    """
    if not a[1] or not b[1]:
        return -1.0, 1.0
    a, b = (min(a), a[1]), (min(b), b[1])
    rates = [(won + 1) / (n + 2) for won, n in (a, b)]
    difference = b[0] / b[1] - a[0] / a[1]
    variance = sum(rate * (1 - rate) / n for rate, (_, n) in zip(rates, (a, b), strict=True))
    n = a[1] + b[1]
    rho2 = _rho2(alpha)
    half = math.sqrt(variance * n) * math.sqrt(
        2 * (n * rho2 + 1) / (n * n * rho2) * math.log(math.sqrt(n * rho2 + 1) / alpha)
    )
    return max(-1.0, difference - half), min(1.0, difference + half)


def _rho2(alpha: float) -> float:
    """ρ² that makes the sequence tightest near `_TUNED_FOR` customers (the same paper, appendix B.2)."""
    return (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / _TUNED_FOR


def imbalance(customers: Sequence[int], weights: Sequence[float]) -> float | None:
    """Chi-square p that a split by `weights` gives `customers`; None while fewer than 5 are expected somewhere."""
    total = sum(customers)
    expected = [total * weight for weight in weights]
    if not expected or min(expected) < 5:
        return None
    return float(stats.chisquare(list(customers), expected).pvalue)
