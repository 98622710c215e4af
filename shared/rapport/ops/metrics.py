"""Prometheus metrics of this process, served on the ops page. Names begin with `rapport_`; times are in seconds.

Asking twice for the same metric gives the same object, so that two consumers in one process share it. The default
registry also carries the process's own figures: CPU, memory, open files, garbage collection.
"""

from __future__ import annotations

import functools

from prometheus_client import Counter, Gauge, Histogram

_NAMESPACE = "rapport"

# Seconds. From a cache read to a generation on a CPU; the middle is dense where the latency targets of Rapport lie.
LATENCY_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Messages in a batch, texts in a call.
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)


@functools.cache
def counter(name: str, description: str, labels: tuple[str, ...] = ()) -> Counter:
    """Only grows. Prometheus adds `_total` to the name."""
    return Counter(name, description, labels, namespace=_NAMESPACE)


@functools.cache
def gauge(name: str, description: str, labels: tuple[str, ...] = ()) -> Gauge:
    """Goes up and down."""
    return Gauge(name, description, labels, namespace=_NAMESPACE)


@functools.cache
def histogram(
    name: str, description: str, labels: tuple[str, ...] = (), buckets: tuple[float, ...] = LATENCY_SECONDS
) -> Histogram:
    """A distribution: `with metric.time():` or `metric.observe(seconds)`."""
    return Histogram(name, description, labels, namespace=_NAMESPACE, buckets=buckets)
