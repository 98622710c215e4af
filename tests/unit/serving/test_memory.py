"""What is remembered, what may wait, and what a device can hold."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from rapport.models.ports import Role
from rapport.ops.errors import ModelError, OverloadedError
from rapport.serving.batching import Batcher
from rapport.serving.device_memory import DeviceMemory
from rapport.serving.device_thread import DeviceThread
from rapport.serving.vocabulary import Priority
from tests.unit.serving.backends import HeldBackend
from tests.unit.serving.conftest import BatcherOf

NOW = Priority.INTERACTIVE
_MB = 1 << 20


async def test_what_was_computed_is_remembered_by_text_and_role(device: DeviceThread) -> None:
    backend = HeldBackend()
    batcher = Batcher("cached", backend, device, max_queue=9, max_batch_tokens=100, cached_rows=2)
    batcher.start()
    await batcher.run(["a:3", "b:4"], Role.QUERY, NOW)
    answer = await batcher.run(["b:4", "c:5", "a:3"], Role.QUERY, NOW)
    assert answer.rows[:, 0].tolist() == [4, 5, 3]
    assert backend.batches == [["a", "b"], ["c"]]
    answer.rows[:] = 0  # an answer is the caller's own
    assert (await batcher.run(["a:3"], Role.PASSAGE, NOW)).rows[0, 0] == 3
    assert backend.batches[2:] == [["a"]]
    # "b" was used longest ago, and two rows are kept.
    await batcher.run(["b:4"], Role.QUERY, NOW)
    assert backend.batches[3:] == [["b"]]
    hits = REGISTRY.get_sample_value("rapport_inference_cache_lookups_total", {"model": "cached", "outcome": "hit"})
    assert hits == 2
    await batcher.stop()


async def test_characters_that_wait_are_bounded_yet_a_large_call_passes_alone(device: DeviceThread) -> None:
    backend = HeldBackend(held=True)
    batcher = Batcher("narrow", backend, device, max_queue=9, max_batch_tokens=100, max_queue_characters=5)
    batcher.start()
    large = asyncio.create_task(batcher.run(["a" * 10, "b"], Role.QUERY, NOW))
    await asyncio.to_thread(backend.begun.acquire)
    with pytest.raises(OverloadedError):
        await batcher.run(["c"], Role.QUERY, NOW)
    backend.open.set()
    await large
    await batcher.run(["c"], Role.QUERY, NOW)
    await batcher.stop()


async def test_after_running_out_of_memory_batches_are_smaller(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(batch_tokens=1200)
    backend.fails = lambda names: len(names) > 4
    batcher = batcher_of(backend)
    texts = [f"t{number}:150" for number in range(8)]
    assert (await batcher.run(texts, Role.QUERY, NOW)).rows[:, 0].tolist() == [150] * 8
    assert [len(names) for names in backend.batches] == [8, 4, 4]
    backend.batches.clear()
    await batcher.run(texts, Role.QUERY, NOW)
    assert [len(names) for names in backend.batches] == [4, 4]


async def test_rows_are_handed_out_though_the_next_batch_never_ends(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True)
    batcher = batcher_of(backend)
    first = asyncio.create_task(batcher.run(["a"], Role.QUERY, NOW))
    await asyncio.to_thread(backend.begun.acquire)
    second = asyncio.create_task(batcher.run(["b"], Role.QUERY, NOW))
    await asyncio.sleep(0.05)
    forward = backend.forward
    held = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stuck(sequences):  # type: ignore[no-untyped-def]
        backend.open.clear()
        loop.call_soon_threadsafe(held.set)
        return forward(sequences)

    backend.forward = stuck  # type: ignore[method-assign]
    backend.open.set()
    assert (await asyncio.wait_for(first, 5)).tokens == 1
    await asyncio.wait_for(held.wait(), 5)
    assert not second.done()
    backend.open.set()
    await second


def test_a_model_beyond_the_cap_is_refused_with_what_holds_the_memory() -> None:
    memory = DeviceMemory(100)
    memory.reserve("small", 60 * _MB)
    with pytest.raises(ModelError, match="small 60 MB"):
        memory.reserve("large", 50 * _MB)
    memory.release("small")
    memory.reserve("large", 50 * _MB)
