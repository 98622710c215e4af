"""Where a request's time went, as spans under the one of its call: first in the queue, then on the device."""

from __future__ import annotations

import time

from opentelemetry.util.types import AttributeValue

from rapport.models.ports import ModelId
from rapport.ops.tracing import record

QUEUE, COMPUTE = "inference.queue", "inference.compute"


def spend(model: ModelId, arrived: float, queue_s: float, compute_s: float, **sizes: AttributeValue) -> None:
    """Records the two spans of a request that is done. `arrived` is on `time.monotonic`'s clock.

    The span of computing lasts from the first pass of the device to the last; `compute_s` is what the passes took in
    which the request had part, the rest being passes for others in between.
    """
    first = arrived + queue_s
    named: dict[str, AttributeValue] = {"model": str(model)}
    record(QUEUE, arrived, first, named)
    record(COMPUTE, first, time.monotonic(), named | {"compute_s": compute_s} | sizes)
