from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from rapport.models.ports import SequenceBackend
from rapport.models.text_ports import Decoder
from rapport.serving.batching import Batcher
from rapport.serving.device_thread import DeviceThread
from rapport.serving.generating.loop import GenerationLoop

BatcherOf = Callable[..., Batcher]
LoopOf = Callable[..., GenerationLoop]


@pytest.fixture
def device() -> Iterator[DeviceThread]:
    thread = DeviceThread("test-device")
    yield thread
    thread.close()


@pytest.fixture
async def batcher_of(device: DeviceThread) -> AsyncIterator[BatcherOf]:
    """Makes running batchers, and stops them."""
    made: list[Batcher] = []

    def make(backend: SequenceBackend, *, max_queue: int = 100, max_batch_tokens: int = 10_000) -> Batcher:
        batcher = Batcher("test", backend, device, max_queue=max_queue, max_batch_tokens=max_batch_tokens)
        batcher.start()
        made.append(batcher)
        return batcher

    yield make
    for batcher in made:
        await batcher.stop()


@pytest.fixture
async def loop_of(device: DeviceThread) -> AsyncIterator[LoopOf]:
    """Makes running generation loops, and stops them."""
    made: list[GenerationLoop] = []

    def make(decoder: Decoder[Any], *, max_queue: int = 100, default_max_tokens: int = 20) -> GenerationLoop:
        loop = GenerationLoop("test", decoder, device, max_queue=max_queue, default_max_tokens=default_max_tokens)
        loop.start()
        made.append(loop)
        return loop

    yield make
    for loop in made:
        await loop.stop()
