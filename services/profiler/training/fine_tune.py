"""Trains an encoder and its classifier on labelled text: AdamW, length-sorted batches, early stop."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from rapport.models import heads
from rapport.models.ports import ModelId, Role
from rapport.models.torch_device import compute_dtype
from services.profiler.training.examples import Example, split
from services.profiler.training.network import Method, Network, label_numbers

Progress = Callable[[str], None]
_BATCH = 32
# The classifier starts well: larger steps first make it worse (0.90 to 0.77 with 1e-4 and 5e-3) and cost an epoch.
_ENCODER_STEP, _LORA_STEP, _HEAD_STEP = 5e-5, 3e-4, 1e-3
_DECAY, _WARM_UP, _CLIP = 0.01, 0.06, 1.0
_SET_ASIDE, _MOST_ASIDE = 0.1, 600
# The classifier starts from a logistic regression on so many vectors of the encoder as it is: worth an epoch.
_HEAD_EXAMPLES = 3000
_LOOKS_A_RUN = 12


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. `minutes` 0: no limit; what was best until then is kept."""

    method: Method = "full"
    epochs: int = 3
    layers: int = 0
    minutes: float = 0.0
    patience: int = 3
    """Looks at the part set aside without a better accuracy before it stops."""
    window: int = 128
    seed: int = 0


@dataclass(slots=True)
class Tuned:
    """The trained network, and what it got right on the part set aside (for stopping, not for reporting)."""

    network: Network
    validation_accuracy: float
    seen: int
    seconds: float


def fine_tune(
    folder: Path,
    prefixes: Mapping[Role, str] | None,
    examples: Sequence[Example],
    recipe: Recipe,
    progress: Progress,
) -> Tuned:
    """`folder`: the encoder to start from. Minutes for thousands of examples on a CPU."""
    torch.manual_seed(recipe.seed)
    labels = sorted({example.label for example in examples})
    share = min(_SET_ASIDE, _MOST_ASIDE / len(examples))
    kept, aside = split(examples, share, recipe.seed)
    network = Network(folder, prefixes, labels, recipe.method, recipe.layers, recipe.window)
    network.start_from(_first_head(network, kept[:_HEAD_EXAMPLES]))
    return _Run(network, kept, aside, recipe, progress).run()


def predict(network: Network, texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Probabilities [n, labels], columns as `network.labels`."""
    sequences = network.tokenize(texts)
    order = sorted(range(len(sequences)), key=lambda at: len(sequences[at]))
    found = np.empty((len(texts), len(network.labels)), dtype=np.float32)
    network.eval()
    with torch.inference_mode(), _mixed():
        for start in range(0, len(order), 2 * _BATCH):
            places = order[start : start + 2 * _BATCH]
            scores = network([sequences[at] for at in places])
            found[places] = torch.softmax(scores.float(), dim=1).numpy()
    network.train()
    return found


class _Run:
    def __init__(
        self, network: Network, kept: list[Example], aside: list[Example], recipe: Recipe, progress: Progress
    ) -> None:
        self._network, self._recipe, self._progress = network, recipe, progress
        self._aside = aside
        self._sequences = network.tokenize([example.text for example in kept])
        self._answers = label_numbers(kept, network.labels)
        self._steps = max(1, recipe.epochs * math.ceil(len(kept) / _BATCH))
        step = _LORA_STEP if recipe.method == "lora" else _ENCODER_STEP
        inner = [weight for weight in network.encoder.parameters() if weight.requires_grad]
        groups = [{"params": inner, "lr": step}, {"params": network.head.parameters(), "lr": _HEAD_STEP}]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=_DECAY)
        self._plan = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._rate)
        self._best, self._best_state, self._misses = 0.0, dict[str, torch.Tensor](), 0

    def run(self) -> Tuned:
        began, seen, done = time.monotonic(), 0, 0
        self._began = began
        look = max(1, self._steps // _LOOKS_A_RUN)
        self._look(f"0 of {self._steps} steps")
        for number in range(self._recipe.epochs):
            for batch in self._batches(self._recipe.seed + number):
                self._step(batch)
                seen, done = seen + len(batch), done + 1
                if (done % look == 0 or done == self._steps) and not self._look(f"{done} of {self._steps} steps"):
                    return self._finished(seen)
                if self._out_of_time():
                    self._look(f"{done} of {self._steps} steps, time is up")
                    return self._finished(seen)
        return self._finished(seen)

    def _step(self, batch: Sequence[int]) -> None:
        with _mixed():
            scores = self._network([self._sequences[at] for at in batch])
        loss = torch.nn.functional.cross_entropy(scores.float(), self._answers[list(batch)])
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), _CLIP)
        self._optimizer.step()
        self._plan.step()

    def _look(self, where: str) -> bool:
        """Measures, and keeps the weights when they are the best so far; False when it is time to stop."""
        shares = predict(self._network, [example.text for example in self._aside])
        truth = label_numbers(self._aside, self._network.labels).numpy()
        accuracy = float((shares.argmax(axis=1) == truth).mean())
        self._progress(f"{where}, {time.monotonic() - self._began:.0f} s: {accuracy:.4f} of those set aside are right")
        if accuracy > self._best:
            self._best, self._misses = accuracy, 0
            learned = {name for name, weight in self._network.named_parameters() if weight.requires_grad}
            state = self._network.state_dict()
            self._best_state = {name: state[name].clone() for name in learned}
        else:
            self._misses += 1
        return self._misses < self._recipe.patience

    def _finished(self, seen: int) -> Tuned:
        self._network.load_state_dict(self._best_state, strict=False)
        self._network.eval()
        return Tuned(self._network, self._best, seen, time.monotonic() - self._began)

    def _batches(self, seed: int) -> list[list[int]]:
        """Texts of like length together, in random order: half as much padding as at random."""
        dice = random.Random(seed)
        order = sorted(range(len(self._sequences)), key=lambda at: (len(self._sequences[at]), dice.random()))
        found = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
        dice.shuffle(found)
        return found

    def _rate(self, step: int) -> float:
        """Linear up, then by time or steps linear down to nothing."""
        warm = max(1, int(_WARM_UP * self._steps))
        if step < warm:
            return (step + 1) / warm
        done = step / self._steps
        if self._recipe.minutes:
            done = max(done, (time.monotonic() - self._began) / (60 * self._recipe.minutes))
        return max(0.0, 1.0 - done)

    def _out_of_time(self) -> bool:
        limit = 60 * self._recipe.minutes
        return bool(limit) and time.monotonic() - self._began > limit


def _first_head(network: Network, examples: Sequence[Example]) -> heads.SoftmaxHead:
    sequences = network.tokenize([example.text for example in examples])
    order = sorted(range(len(sequences)), key=lambda at: len(sequences[at]))
    vectors = np.empty((len(examples), network.head.in_features), dtype=np.float32)
    with torch.inference_mode(), _mixed():
        for start in range(0, len(order), 2 * _BATCH):
            places = order[start : start + 2 * _BATCH]
            vectors[places] = network.vectors([sequences[at] for at in places]).numpy()
    fitted = heads.fit(ModelId("first", "0"), vectors, [example.label for example in examples], Role.QUERY)
    return fitted.head


def _mixed() -> torch.autocast:
    """bf16 where the processor multiplies it; elsewhere float32."""
    dtype = compute_dtype(torch.device("cpu"))
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)
