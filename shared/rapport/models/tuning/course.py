"""The course of a training: AdamW, a rate that warms up and falls, looks along the way, the best weights kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch

from rapport.models.tuning.recipe import Progress, Recipe

_DECAY, _WARM_UP, _CLIP = 0.01, 0.06, 1.0
_LOOKS_A_RUN = 12


class Course:
    """Trains `network` for `steps` batches, fewer when `recipe` says that it is enough or the time is up."""

    def __init__(
        self,
        network: torch.nn.Module,
        rates: Sequence[Mapping[str, object]],
        steps: int,
        recipe: Recipe,
        progress: Progress,
    ) -> None:
        """`rates`: parameter groups with their step sizes, as an optimizer takes them."""
        self._network, self._steps, self._recipe, self._progress = network, steps, recipe, progress
        self._optimizer = torch.optim.AdamW([dict(group) for group in rates], weight_decay=_DECAY)
        self._plan = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._rate)
        self._best, self._state, self._misses = -1.0, dict[str, torch.Tensor](), 0
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def run(
        self,
        batches: Callable[[int], Iterable[Sequence[int]]],
        loss: Callable[[Sequence[int]], torch.Tensor],
        quality: Callable[[], tuple[float, str]],
    ) -> int:
        """`batches` of an epoch; the `loss` of one; `quality`: the higher the better, and in words. Leaves the best
        weights in the network, which is in evaluation mode then; returns how many examples were seen.
        """
        seen = done = 0
        look = max(1, self._steps // _LOOKS_A_RUN)
        going = self._look(f"0 of {self._steps} steps", quality)
        for epoch in range(self._recipe.epochs):
            for batch in batches(epoch):
                self._network.train()
                self._step(loss(batch))
                seen, done = seen + len(batch), done + 1
                late = self._out_of_time()
                if late or done % look == 0 or done == self._steps:
                    where = f"{done} of {self._steps} steps" + (", time is up" if late else "")
                    going = self._look(where, quality) and not late
                if not going:
                    break
            if not going:
                break
        self._network.load_state_dict(self._state, strict=False)
        self._network.eval()
        return seen

    def _step(self, loss: torch.Tensor) -> None:
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), _CLIP)
        self._optimizer.step()
        self._plan.step()

    def _look(self, where: str, quality: Callable[[], tuple[float, str]]) -> bool:
        """Measures, and keeps the weights when they are the best so far; False when it is time to stop."""
        found, words = quality()
        self._progress(f"{where}, {self.seconds:.0f} s: {words} on those set aside")
        if found > self._best:
            self._best, self._misses = found, 0
            learned = {name for name, weight in self._network.named_parameters() if weight.requires_grad}
            state = self._network.state_dict()
            self._state = {name: state[name].clone() for name in learned}
        else:
            self._misses += 1
        return self._misses < self._recipe.patience

    def _rate(self, step: int) -> float:
        """Linear up, then by time or steps linear down to nothing."""
        warm = max(1, int(_WARM_UP * self._steps))
        if step < warm:
            return (step + 1) / warm
        done = step / self._steps
        if self._recipe.minutes:
            done = max(done, self.seconds / (60 * self._recipe.minutes))
        return max(0.0, 1.0 - done)

    def _out_of_time(self) -> bool:
        limit = 60 * self._recipe.minutes
        return bool(limit) and self.seconds > limit
