"""A SASRec that answers: states of sequences, and the best items of the catalogue for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from rapport.models.ports import ModelId, Role, Rows
from services.recommender.worker.sasrec.fitting import pad
from services.recommender.worker.sasrec.model import SasRec
from services.recommender.worker.sasrec.shape import SEPARATOR

Ids = npt.NDArray[np.int32]


class SequenceModel:
    """The item matrix stays on the device. As a `SequenceBackend` its texts are item ids, oldest first, put together by
    `SEPARATOR`: what batches texts batches sequences as well."""

    # Interactions in one batch: beyond, attention over them is no faster for each.
    batch_tokens = 4096

    def __init__(self, net: SasRec, items: Sequence[str], model: ModelId, device: torch.device | None = None) -> None:
        self.model, self.items = model, tuple(items)
        self.number = {item: at for at, item in enumerate(self.items)}
        self.dimensions, self.window = net.shape.width, net.shape.window
        self._device = device or torch.device("cpu")
        self._net = net.to(self._device).eval()
        with torch.inference_mode():
            self._matrix = net.matrix().clone()

    def numbers(self, ids: Sequence[str]) -> list[int]:
        """Of the known ones among `ids`, the latest that are read."""
        return [self.number[item] for item in ids if item in self.number][-self.window :]

    def tokenize(self, texts: Sequence[str], role: Role) -> list[list[int]]:
        """Item numbers of each sequence; at least one of its items must be known."""
        return [self.numbers(text.split(SEPARATOR)) for text in texts]

    def forward(self, sequences: Sequence[Sequence[int]]) -> Rows:
        """float32 [sequences, width]: the state after the last item of each, none of them empty."""
        padded = torch.from_numpy(pad([np.array(each, np.int32) for each in sequences], len(self.items)))
        ends = torch.tensor([len(each) - 1 for each in sequences])
        with torch.inference_mode():
            states = self._net(padded.to(self._device))
            rows = states[torch.arange(len(sequences)), ends]
        return np.asarray(rows.float().cpu().numpy(), dtype=np.float32)

    def lifts(self, states: Rows) -> Rows:
        """float32 [sequences, items]: log(P(item) · items), how much likelier than a blind guess: comparable between
        sequences, which logits are not."""
        with torch.inference_mode():
            logits = self._net.scores(torch.from_numpy(states).to(self._device), self._matrix).float()
            found = torch.log_softmax(logits, dim=-1) + float(np.log(len(self.items)))
        return np.asarray(found.cpu().numpy(), dtype=np.float32)

    def best(self, states: Rows, among: Sequence[int], limit: int) -> list[tuple[Ids, Rows]]:
        """For each state the numbers of the best items, best first, and their lifts. `among`: item numbers to choose
        from, empty: the whole catalogue."""
        found = torch.from_numpy(self.lifts(states))
        chosen = torch.tensor(list(among), dtype=torch.long) if among else None
        if chosen is not None:
            found = found[:, chosen]
        values, places = found.topk(min(limit, found.shape[1]), dim=1)
        numbers = places if chosen is None else chosen[places]
        return [(row.numpy().astype(np.int32), lift.numpy()) for row, lift in zip(numbers, values, strict=True)]

    def scores(self, histories: Sequence[Ids]) -> Rows:
        """float32 [histories, items] for evaluation: all items of each history of item numbers; 0 for an empty one."""
        found = np.zeros((len(histories), len(self.items)), np.float32)
        some = [at for at, history in enumerate(histories) if len(history)]
        if some:
            states = self.forward([histories[at][-self.window :].tolist() for at in some])
            found[some] = self.lifts(states)
        return found
