"""What callers see of the batching, and what the device does."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from rapport.models.ports import Role
from rapport.ops.errors import DeadlineError, ModelError, OverloadedError, UnavailableError
from rapport.serving.batching import Batcher
from rapport.serving.deadline import deadline_in
from rapport.serving.encoding_call import Answer
from rapport.serving.vocabulary import Priority
from tests.unit.serving.backends import HeldBackend
from tests.unit.serving.conftest import BatcherOf
from tests.unit.serving.waiting import until

NOW, BULK = Priority.INTERACTIVE, Priority.BULK


def ask(batcher: Batcher, *texts: str, priority: Priority = NOW) -> asyncio.Task[Answer]:
    return asyncio.create_task(batcher.run(texts, Role.QUERY, priority))


async def occupied(batcher: Batcher, backend: HeldBackend) -> asyncio.Task[Answer]:
    """The device is busy with one call until `backend.open` is set."""
    task = ask(batcher, "first")
    await asyncio.to_thread(backend.begun.acquire)
    return task


async def waiting(batcher: Batcher, calls: int) -> None:
    await until(lambda: len(batcher._lanes) == calls)


async def test_rows_come_back_in_the_order_of_the_texts(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(batch_tokens=12)
    lengths = [7, 1, 9, 3, 3, 12, 2]
    answer = await batcher_of(backend).run([f"t:{length}" for length in lengths], Role.QUERY, NOW)
    assert answer.rows[:, 0].tolist() == lengths
    assert answer.tokens == sum(lengths)
    assert len(backend.batches) > 1


async def test_while_one_batch_runs_the_next_one_fills(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True)
    batcher = batcher_of(backend)
    tasks = [await occupied(batcher, backend), *(ask(batcher, name) for name in "abc")]
    await waiting(batcher, 3)
    backend.open.set()
    await asyncio.gather(*tasks)
    assert backend.batches == [["first"], ["a", "b", "c"]]
    assert backend.threads == {"test-device_0"}


async def test_batches_keep_to_the_budget_and_the_order_of_arrival(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True, batch_tokens=10)
    batcher = batcher_of(backend)
    tasks = [await occupied(batcher, backend)]
    for number, text in enumerate(["a:6", "b:4", "c:6", "d:30"], start=1):
        tasks.append(ask(batcher, text))
        await waiting(batcher, number)
    backend.open.set()
    await asyncio.gather(*tasks)
    assert [sorted(batch) for batch in backend.batches[-2:]] == [["c"], ["d"]]
    assert {name for batch in backend.batches[1:-2] for name in batch} == {"a", "b"}


async def test_interactive_calls_overtake_bulk(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True, batch_tokens=2)
    batcher = batcher_of(backend)
    tasks = [
        await occupied(batcher, backend),
        ask(batcher, "bulk1", "bulk2", priority=BULK),
        ask(batcher, "now1", "now2"),
    ]
    await waiting(batcher, 2)
    backend.open.set()
    await asyncio.gather(*tasks)
    assert backend.batches[1:] == [["now1", "now2"], ["bulk1", "bulk2"]]


async def test_a_full_queue_refuses_and_then_takes_again(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True)
    batcher = batcher_of(backend, max_queue=2)
    tasks = [await occupied(batcher, backend), ask(batcher, "a")]
    await waiting(batcher, 1)
    with pytest.raises(OverloadedError):
        await batcher.run(["b"], Role.QUERY, NOW)
    backend.open.set()
    await asyncio.gather(*tasks)
    await batcher.run(["c"], Role.QUERY, NOW)
    assert ["b"] not in backend.batches


async def test_a_cancelled_call_never_reaches_the_device(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True)
    batcher = batcher_of(backend, max_queue=3)
    first, gone, last = await occupied(batcher, backend), ask(batcher, "gone"), ask(batcher, "last")
    await waiting(batcher, 2)
    gone.cancel()
    await waiting(batcher, 1)
    backend.open.set()
    await asyncio.gather(first, last)
    assert backend.batches == [["first"], ["last"]]


async def test_an_expired_call_never_reaches_the_device(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True)
    batcher = batcher_of(backend)
    first = await occupied(batcher, backend)
    with deadline_in(0.05):
        late = ask(batcher, "late")
    await asyncio.sleep(0.1)
    backend.open.set()
    with pytest.raises(DeadlineError):
        await late
    await first
    assert backend.batches == [["first"]]


async def test_one_bad_text_fails_alone(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True)
    backend.fails = lambda names: "bad" in names
    batcher = batcher_of(backend)
    names = ["a", "b", "bad", "c", "d"]
    tasks = [await occupied(batcher, backend), *(ask(batcher, name) for name in names)]
    await waiting(batcher, len(names))
    backend.open.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(answer, ModelError) for answer in answers[1:]] == [name == "bad" for name in names]
    await batcher.run(["afterwards"], Role.QUERY, NOW)


async def test_too_much_memory_together_is_tried_apart(batcher_of: BatcherOf) -> None:
    backend = HeldBackend()
    backend.fails = lambda names: len(names) > 2
    answer = await batcher_of(backend).run([f"t{number}:3" for number in range(9)], Role.QUERY, NOW)
    assert answer.rows[:, 0].tolist() == [3] * 9


async def test_numbers_that_are_not_finite_are_no_answer(batcher_of: BatcherOf) -> None:
    class Broken(HeldBackend):
        def forward(self, sequences):  # type: ignore[no-untyped-def]
            return super().forward(sequences) * np.float32("nan")

    with pytest.raises(ModelError):
        await batcher_of(Broken()).run(["a"], Role.QUERY, NOW)


async def test_queue_time_and_compute_time_are_apart(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True)
    batcher = batcher_of(backend)
    first = await occupied(batcher, backend)
    second = ask(batcher, "second")
    await waiting(batcher, 1)
    await asyncio.sleep(0.1)
    backend.open.set()
    assert (await first).compute_s >= 0.1
    answer = await second
    assert answer.queue_s >= 0.1
    assert answer.compute_s < 0.1


async def test_stopping_tells_those_who_wait(batcher_of: BatcherOf) -> None:
    backend = HeldBackend(held=True)
    batcher = batcher_of(backend)
    await occupied(batcher, backend)
    second = ask(batcher, "second")
    await waiting(batcher, 1)
    assert batcher.health().ready
    stopping = asyncio.create_task(batcher.stop())
    with pytest.raises(UnavailableError):
        await second
    backend.open.set()
    await stopping
    assert not batcher.health().live
