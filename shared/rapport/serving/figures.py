"""What a model does, as Prometheus metrics with the meanings of Triton's inference statistics."""

from __future__ import annotations

from typing import Literal

from rapport.ops.metrics import SIZES, counter, gauge, histogram

# rejected: the queue was full. canceled: the caller went away or its time ran out. backend: the model failed.
Reason = Literal["rejected", "canceled", "backend"]

_MODEL = ("model",)


class Figures:
    """One model's figures; `model` is its label, such as "encoder"."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._success = counter("inference_request_success", "Calls answered", _MODEL).labels(model)
        self._queue = histogram("inference_queue_seconds", "From arrival to the first compute", _MODEL).labels(model)
        self._compute = histogram("inference_compute_seconds", "Device time of one execution", _MODEL).labels(model)
        self._batch = histogram("inference_batch_size", "Texts in one execution", _MODEL, SIZES).labels(model)
        self._pending = gauge("inference_pending_requests", "Calls accepted and not answered", _MODEL).labels(model)
        self._tokens = counter("inference_tokens", "Tokens", ("model", "direction"))
        self._first = histogram("inference_first_token_seconds", "From arrival to the first text", _MODEL).labels(model)

    def pending(self, calls: int) -> None:
        self._pending.set(calls)

    def executed(self, texts: int, seconds: float) -> None:
        """One run of the device."""
        self._batch.observe(texts)
        self._compute.observe(seconds)

    def answered(self, queue_s: float, tokens_in: int, tokens_out: int = 0) -> None:
        """One call's success."""
        self._success.inc()
        self._queue.observe(queue_s)
        self._tokens.labels(self._model, "input").inc(tokens_in)
        self._tokens.labels(self._model, "output").inc(tokens_out)

    def first_token(self, seconds: float) -> None:
        self._first.observe(seconds)

    def out_of_memory(self, tokens_left: int) -> None:
        """The device could not hold a batch; later ones have at most so many tokens."""
        counter("inference_out_of_memory", "Batches that the device could not hold", _MODEL).labels(self._model).inc()
        gauge("inference_batch_tokens", "Most tokens in one batch", _MODEL).labels(self._model).set(tokens_left)

    def failed(self, reason: Reason) -> None:
        """One call's failure, after it was found valid."""
        failures = counter("inference_request_failure", "Valid calls that got no answer", ("model", "reason"))
        failures.labels(self._model, reason).inc()
