"""Trains an encoder and its classifier on labelled text: AdamW, length-sorted batches, early stop, calibration."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from rapport.models.calibration import temperature
from rapport.models.heads import SoftmaxHead
from rapport.models.ports import ModelId, Role, Rows
from rapport.models.tuning.course import Course
from rapport.models.tuning.examples import Example, labels_of, split, truth_of
from rapport.models.tuning.network import Network
from rapport.models.tuning.recipe import Progress, Recipe
from rapport.models.tuning.regression import regress
from rapport.models.tuning.scoring import Scores, score
from rapport.models.tuning.texts import embed, mixed, shuffled

# The classifier starts well: larger steps first make it worse (0.90 to 0.77 with 1e-4 and 5e-3) and cost an epoch.
_ENCODER_STEP, _LORA_STEP, _HEAD_STEP = 5e-5, 3e-4, 1e-3
_SET_ASIDE, _MOST_ASIDE = 0.1, 600
# The classifier starts from a regression on so many vectors of the encoder as it is (more where there are many
# labels): worth an epoch.
_FIRST_EXAMPLES, _FIRST_OF_A_LABEL = 3000, 20


@dataclass(slots=True)
class Tuned:
    """The trained network and its calibrated classifier. `validation`: the scores on the part that was set aside for
    stopping and calibrating, which are not for reporting.
    """

    network: Network
    head: SoftmaxHead
    validation: Scores
    seen: int
    seconds: float

    def vectors(self, texts: Sequence[str]) -> Rows:
        """What `head` reads: float32 [texts, d]."""
        return embed(self.network, texts)

    def save(self, folder: Path) -> None:
        """The files of a version of kind `classifier`."""
        self.network.save_encoder(folder)
        self.head.save(folder)


def fine_tune(
    name: str,
    folder: Path,
    prefixes: Mapping[Role, str] | None,
    examples: Sequence[Example],
    recipe: Recipe,
    progress: Progress,
    aside: Sequence[Example] = (),
) -> Tuned:
    """`folder`: the encoder to start from; `name`: the classifier's. Minutes for thousands of examples on a CPU.
    `aside`: to stop and calibrate by; none: a part of `examples` is set aside.

    Raises `ModelError` for an encoder of a family that is not trained here.
    """
    torch.manual_seed(recipe.seed)
    labels = labels_of(examples)
    kept = random.Random(recipe.seed).sample(examples, len(examples))
    if not aside:
        kept, aside = split(kept, min(_SET_ASIDE, _MOST_ASIDE / len(kept)), recipe.seed)
    network = Network(folder, prefixes, labels, recipe)
    first = kept[: max(_FIRST_EXAMPLES, _FIRST_OF_A_LABEL * len(labels))]
    vectors = embed(network, [example.text for example in first])
    network.start_from(*regress(vectors, truth_of(first, labels), independent=recipe.multi_label))
    return _Run(name, network, kept, aside, recipe, progress).run()


class _Run:
    def __init__(
        self,
        name: str,
        network: Network,
        kept: Sequence[Example],
        aside: Sequence[Example],
        recipe: Recipe,
        progress: Progress,
    ) -> None:
        self._name, self._network, self._recipe = name, network, recipe
        self._aside, self._aside_truth = [each.text for each in aside], truth_of(aside, network.labels)
        self._sequences = network.tokenize([example.text for example in kept])
        self._answers = torch.from_numpy(truth_of(kept, network.labels)).float()
        step = recipe.rate or (_LORA_STEP if recipe.method == "lora" else _ENCODER_STEP)
        inner = [weight for weight in network.encoder.parameters() if weight.requires_grad]
        rates = [{"params": inner, "lr": step}, {"params": network.head.parameters(), "lr": _HEAD_STEP}]
        steps = max(1, recipe.epochs * math.ceil(len(kept) / recipe.batch))
        self._course = Course(network, rates, steps, recipe, progress)

    def run(self) -> Tuned:
        seen = self._course.run(self._batches, self._loss, self._quality)
        raw = self._network.classifier(ModelId(self._name, ""))
        scores = raw.scores(embed(self._network, self._aside))
        divisor = temperature(scores, self._aside_truth, independent=self._recipe.multi_label)
        identity = ModelId(self._name, f"{self._recipe.method}-{self._recipe.seed}-{seen}")
        head = self._network.classifier(identity, divisor)
        return Tuned(self._network, head, self._measured(head), seen, self._course.seconds)

    def _batches(self, epoch: int) -> list[list[int]]:
        return shuffled(self._sequences, self._recipe.batch, self._recipe.seed + epoch)

    def _loss(self, batch: Sequence[int]) -> torch.Tensor:
        with mixed():
            scores = self._network([self._sequences[at] for at in batch])
        answers = self._answers[list(batch)]
        if self._recipe.multi_label:
            return torch.nn.functional.binary_cross_entropy_with_logits(scores.float(), answers)
        return torch.nn.functional.cross_entropy(scores.float(), answers.argmax(dim=1))

    def _quality(self) -> tuple[float, str]:
        found = self._measured(self._network.classifier(ModelId(self._name, "")))
        quality = found.micro_f1 if self._recipe.multi_label else found.accuracy
        what = "micro F1" if self._recipe.multi_label else "accuracy"
        return quality, f"{what} {quality:.4f}"

    def _measured(self, head: SoftmaxHead) -> Scores:
        said = head.probabilities(embed(self._network, self._aside))
        return score(said, head.labels, self._aside_truth, multi_label=self._recipe.multi_label)
