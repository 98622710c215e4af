"""Trains a SASRec: next-item cross-entropy at every position, the best state by a validation figure."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from rapport.models.torch_device import compute_dtype
from rapport.ops.errors import InvalidRequest
from services.recommender.worker.sasrec.model import SasRec
from services.recommender.worker.sasrec.shape import Plan, Shape

Sequences = Sequence[npt.NDArray[np.int32]]
# Sequences sorted by length among so many batches: little padding, and batches still differ from epoch to epoch.
_SORTED_BATCHES = 20


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best state and how it came about."""

    model: SasRec
    figure: float
    """The validation figure of that state; 0 where none was asked for."""
    epochs: int
    """After which it was."""
    seconds: float


def fit(
    sequences: Sequences,
    shape: Shape,
    plan: Plan,
    figure: Callable[[SasRec], float] | None = None,
    device: torch.device | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """`sequences`: item numbers of each customer, oldest first. `figure`: how good a state is, higher is better;
    without it the state after `plan.epochs` is taken. `told` hears of every check. Raises `InvalidRequest` when no
    sequence has two items."""
    torch.manual_seed(plan.seed)
    model = SasRec(shape).to(device or torch.device("cpu"))
    optimiser = torch.optim.AdamW(model.parameters(), plan.rate, weight_decay=plan.decay)
    usable = [sequence[-shape.window - 1 :] for sequence in sequences if len(sequence) > 1]
    dice = np.random.default_rng(plan.seed)
    if not usable:
        raise InvalidRequest("no customer with two interactions", field="sequences")
    best, best_state, best_epoch, waited, began = -1.0, model.state_dict(), plan.epochs, 0, time.monotonic()
    for epoch in range(1, plan.epochs + 1):
        loss = _epoch(model, optimiser, usable, plan, dice)
        if figure is None or (epoch % plan.check_every and epoch != plan.epochs):
            continue
        found = figure(model.eval())
        seconds = round(time.monotonic() - began)
        told(f"sasrec: epoch {epoch}, loss {loss:.3f}, figure {found:.4f}, {seconds} s")
        waited += 1
        if found > best:
            best, best_state, best_epoch, waited = found, copy.deepcopy(model.state_dict()), epoch, 0
        if waited >= plan.patience:
            break
    if figure is not None:
        model.load_state_dict(best_state)
    return Fitted(model.eval(), max(best, 0.0), best_epoch, time.monotonic() - began)


def _epoch(
    model: SasRec, optimiser: torch.optim.Optimizer, usable: Sequences, plan: Plan, dice: np.random.Generator
) -> float:
    model.train()
    total, positions = 0.0, 0
    device = model.items.weight.device
    dtype = compute_dtype(device)
    for batch in _batches(usable, plan.batch, dice):
        # Half the time of float32 on CPUs that multiply bf16; the weights and the softmax stay float32.
        with torch.autocast(device.type, dtype, enabled=dtype is torch.bfloat16):
            loss, count = _loss(model, batch, plan)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        # One batch of rare items must not throw the embeddings about.
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        total, positions = total + float(loss.detach()) * count, positions + count
    return total / max(1, positions)


def _loss(model: SasRec, batch: Sequences, plan: Plan) -> tuple[Tensor, int]:
    padding = model.shape.items
    device = model.items.weight.device
    padded = torch.from_numpy(pad(batch, padding)).to(device)
    given, wanted = padded[:, :-1], padded[:, 1:]
    there = wanted != padding
    states, targets = model(given)[there], wanted[there]
    if plan.negatives and plan.negatives < padding:
        loss = _sampled(model, states, targets, plan.negatives)
    else:
        logits = model.scores(states, model.matrix())
        loss = functional.cross_entropy(logits, targets, label_smoothing=plan.smoothing)
    return loss, len(targets)


def _sampled(model: SasRec, states: Tensor, targets: Tensor, negatives: int) -> Tensor:
    """Cross-entropy of each target among drawn items that all positions share. Each stands for items / negatives of
    the catalogue, so its logit is raised by the logarithm of that (sampled softmax, uniform proposal)."""
    drawn = torch.randint(model.shape.items, (negatives,), device=states.device)
    right = (states * model.ready(model.items(targets))).sum(-1, keepdim=True) / (model.shape.temperature or 1.0)
    wrong = model.scores(states, model.ready(model.items(drawn)))
    wrong = wrong + float(np.log(model.shape.items / negatives))
    wrong = wrong.masked_fill(drawn[None] == targets[:, None], -torch.inf)
    logits = torch.cat([right, wrong], dim=1)
    return functional.cross_entropy(logits, torch.zeros_like(targets))


def pad(sequences: Sequences, padding: int) -> npt.NDArray[np.int64]:
    """[sequences, longest], filled up with `padding` at the end."""
    padded = np.full((len(sequences), max(map(len, sequences))), padding, dtype=np.int64)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence
    return padded


def _batches(usable: Sequences, size: int, dice: np.random.Generator) -> Iterator[Sequences]:
    order = dice.permutation(len(usable))
    starts = []
    for start in range(0, len(order), size * _SORTED_BATCHES):
        chunk = order[start : start + size * _SORTED_BATCHES]
        chunk = chunk[np.argsort([len(usable[number]) for number in chunk], kind="stable")]
        starts += [chunk[at : at + size] for at in range(0, len(chunk), size)]
    for place in dice.permutation(len(starts)):
        yield [usable[number] for number in starts[place]]
