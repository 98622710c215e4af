"""Pointing at the words that answer: long passages are cut into windows, once; offsets count from their beginning."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from rapport.contracts.worker.v1 import reader_pb2 as wire
from rapport.models.ports import ModelId
from rapport.models.spans import Pairs
from rapport.models.torch_reader import TorchReader, open_network
from rapport.models.tuning.answers import read
from rapport.serving.batching import Batcher
from rapport.serving.device_thread import DeviceThread
from rapport.serving.limits import TextLimits
from services.chatbot.worker.reading import ExtractService
from tests.unit.models.tiny import tiny_encoder

LONG = " ".join(["lamp costs ten and arrives soon"] * 60)
SHORT = "the kettle costs twenty"


class Copies:
    """An encoding as the tokenizer's own: each look at a list copies it."""

    def __init__(self, encoding: Any) -> None:
        self._encoding, self.looks = encoding, 0

    def __getattr__(self, name: str) -> Any:
        self.looks += 1
        return getattr(self._encoding, name)


class Counting(TorchReader):
    """Counts what its tokenizer is given, and how often the answer is looked at."""

    def __init__(self, folder: Path) -> None:
        super().__init__(open_network(folder, torch.float32).eval(), Pairs(folder), ModelId("tiny", "1"))
        self.cut: list[str] = []
        self.made: list[Copies] = []
        tokenizer = self._pairs._tokenizer
        self._pairs._tokenizer = SimpleNamespace(encode=self._counted(tokenizer))  # type: ignore[assignment]

    def _counted(self, tokenizer: Any) -> Any:
        def encode(text: str, **options: Any) -> Any:
            self.cut.append(text)
            self.made.append(Copies(tokenizer.encode(text, **options)))
            return self.made[-1]

        return encode


async def test_a_long_passage_is_tokenized_once_and_its_answer_has_its_own_offsets(tmp_path: Path) -> None:
    torch.manual_seed(1)
    reader = Counting(tiny_encoder(tmp_path / "tiny", [LONG, SHORT, "what price"]))
    passages = [LONG, SHORT]
    assert len(reader.windows("what price", LONG)) > 5
    expected = [read(reader, [("what price", passage)])[0] for passage in passages]
    reader.cut.clear()
    device = DeviceThread("reader")
    batcher = Batcher("reader", reader, device, max_queue=4, max_batch_tokens=512)
    batcher.start()
    service = ExtractService(SimpleNamespace(engine=(reader, batcher)), TextLimits(5, 10_000))  # type: ignore[arg-type]
    try:
        answer = await service.Extract(wire.ExtractRequest(question="what price", passages=passages), None)
    finally:
        await batcher.stop()
        device.close()
    assert [reader.cut.count(passage) for passage in passages] == [1, 1]
    assert max(made.looks for made in reader.made) == 2
    assert len(answer.spans) == 2
    for span in answer.spans:
        alone = expected[span.passage]
        assert alone is not None
        assert (span.start, span.end) == (alone.start, alone.end)
        assert span.text == passages[span.passage][span.start : span.end] != ""
    assert sum(span.score for span in answer.spans) <= 1
