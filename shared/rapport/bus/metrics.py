"""What a consumer group can be watched by. Every name begins with `rapport_consumer_`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager

from rapport.bus.dead_letter import Failure
from rapport.bus.records import Record
from rapport.ops.errors import outward
from rapport.ops.metrics import SIZES, counter, gauge, histogram


class BatchMetrics:
    """Throughput, latency and failures of one group."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._messages = counter("consumer_messages", "Messages read and done with", ("group", "topic"))
        self._duplicates = counter("consumer_duplicates", "Messages left out: their event id came before", ("group",))
        self._failures = counter("consumer_dead_letters", "Messages set aside", ("group", "kind"))
        self._retries = counter("consumer_retries", "Batches whose handler said: try later", ("group",))
        self._latency = histogram("consumer_handler_seconds", "One call of the handler", ("group",))
        self._sizes = histogram("consumer_batch_messages", "Messages in one call of the handler", ("group",), SIZES)

    def handling(self, messages: int) -> AbstractContextManager[object]:
        """Times one call of the handler."""
        self._sizes.labels(self._group).observe(messages)
        return self._latency.labels(self._group).time()

    def retried(self) -> None:
        self._retries.labels(self._group).inc()

    def duplicate(self) -> None:
        self._duplicates.labels(self._group).inc()

    def done(self, records: Sequence[Record], failures: Sequence[Failure]) -> None:
        """After the commit."""
        for topic, count in Counter(record.topic for record in records).items():
            self._messages.labels(self._group, topic).inc(count)
        for failure in failures:
            self._failures.labels(self._group, outward(failure.error).dead_letter.value).inc()


class LagMetrics:
    """How far behind a group is, per partition."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._lag = gauge("consumer_lag_messages", "Messages not yet done with", ("group", "topic", "partition"))

    def set(self, topic: str, partition: int, lag: int) -> None:
        self._lag.labels(self._group, topic, str(partition)).set(lag)

    def gone(self, topic: str, partition: int) -> None:
        """The partition is another member's now, which reports it."""
        try:
            self._lag.remove(self._group, topic, str(partition))
        except KeyError:
            return
