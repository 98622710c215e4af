"""Asking a model worker for label probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rapport.contracts.worker.v1.classifier_pb2 import ClassifyRequest
from rapport.contracts.worker.v1.classifier_pb2_grpc import ClassifierStub
from rapport.serving.channel import PeerChannel
from rapport.serving.tensors import from_tensor
from rapport.serving.vocabulary import Priority, model_name, wire_priority


@dataclass(frozen=True, slots=True)
class Classified:
    """`probabilities`: float32 [texts, labels], columns as `labels`; rows sum to 1 unless a text may have several
    labels. `model`: "id@revision". `energies`: float32 [texts], the higher, the less a text is like what was learned
    (see `SoftmaxHead.energies_of`); none from a worker that does not tell them.
    """

    labels: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]
    model: str
    energies: npt.NDArray[np.float32] | None = None

    def best(self) -> list[str]:
        """The likeliest label of each text."""
        return [self.labels[column] for column in self.probabilities.argmax(axis=1)]


class ClassifierClient:
    """`Classifier.Classify` of the worker behind `channel`."""

    def __init__(self, channel: PeerChannel) -> None:
        self._channel = channel

    async def classify(
        self,
        task: str,
        texts: Sequence[str],
        *,
        priority: Priority = Priority.INTERACTIVE,
        timeout_s: float | None = None,
    ) -> Classified:
        """Probabilities of `task`'s labels (e.g. "sentiment": negative, neutral, positive) for each text.

        Raises `NotFound` naming the tasks that the worker serves, `InvalidRequest` for an empty or too long list, and
        the retryable errors of `EncoderClient.embed`.
        """
        request = ClassifyRequest(task=task, texts=texts, priority=wire_priority(priority))
        method = self._channel.stub(ClassifierStub).Classify
        answer = await self._channel.call(method, request, timeout_s=timeout_s)
        probabilities = from_tensor(answer.probabilities, "probabilities").astype(np.float32)
        energies = None
        if answer.HasField("energies"):
            energies = from_tensor(answer.energies, "energies").astype(np.float32)
        return Classified(tuple(answer.labels), probabilities, model_name(answer.model), energies)
