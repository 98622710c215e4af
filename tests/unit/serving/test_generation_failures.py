"""What breaks inside the model or its device, and what the callers who had no part in it see: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from rapport.models.text_ports import Constraint, Sampling
from rapport.ops.errors import ModelError, NotFound, RapportError, UnavailableError
from rapport.serving.device_thread import DeviceThread
from rapport.serving.generating import loop as generation_loop
from rapport.serving.generating.loop import GenerationLoop
from tests.unit.serving.backends import ScriptedDecoder, ScriptedText
from tests.unit.serving.conftest import LoopOf
from tests.unit.serving.test_generation import alive, request, whole
from tests.unit.serving.waiting import until

GOOD = ["good one here", "another good one", "the last of them"]


async def say_all(loop: GenerationLoop, texts: list[str]) -> list[Any]:
    """What each of `texts` became, all at once: the words, or the error."""
    answers = await asyncio.gather(*(whole(loop.generate(request(text))) for text in texts), return_exceptions=True)
    return [answer[0].strip() if isinstance(answer, tuple) else answer for answer in answers]


@pytest.mark.parametrize("poison", ["!boom", "half !boom never", "one two three four !boom"])
async def test_who_breaks_a_pass_fails_alone_and_the_others_run_again(loop_of: LoopOf, poison: str) -> None:
    decoder = ScriptedDecoder(slots=4)
    loop = loop_of(decoder)
    answers = await say_all(loop, [*GOOD, poison])
    assert answers[:3] == GOOD
    assert isinstance(answers[3], ModelError)
    assert decoder.rebuilt > 0
    await alive(loop)


async def test_an_error_of_one_text_costs_the_others_nothing(loop_of: LoopOf) -> None:
    decoder = ScriptedDecoder(slots=4)
    answers = await say_all(loop := loop_of(decoder), [*GOOD, "half !bad never"])
    assert answers[:3] == GOOD
    assert isinstance(answers[3], ModelError)
    assert decoder.rebuilt == 0
    await alive(loop)


class Choosy(ScriptedDecoder):
    """Fails where a text is taken in: at "!outside" as for a token that it does not have, at "!nothing" by no word."""

    def begin(
        self, prompt: Sequence[int], sampling: Sampling, constraint: Constraint | None, adapter: str
    ) -> ScriptedText:
        text = super().begin(prompt, sampling, constraint, adapter)
        if text.words[0] == "!outside":
            raise IndexError("index out of range in self")
        return None if text.words[0] == "!nothing" else text  # type: ignore[return-value]  # what must not break us


@pytest.mark.parametrize(("poison", "told"), [("!outside", IndexError), ("!nothing", UnavailableError)])
async def test_who_cannot_be_taken_in_is_told_and_nobody_else_notices(
    loop_of: LoopOf, poison: str, told: type[Exception]
) -> None:
    decoder = Choosy(slots=4)
    loop = loop_of(decoder, max_queue=4)
    for _ in range(3):  # the place in the queue is given back each time
        answers = await say_all(loop, [*GOOD, poison])
        assert answers[:3] == GOOD
        assert isinstance(answers[3], told)
    assert decoder.rebuilt == 0
    await alive(loop)


async def test_more_texts_than_memory_holds_go_in_smaller_passes(loop_of: LoopOf) -> None:
    decoder = ScriptedDecoder(slots=8)
    decoder.most = 2
    texts = [f"text number {number}" for number in range(8)]
    assert await say_all(loop_of(decoder), texts) == texts
    too_many = next(at for at, size in enumerate(decoder.passes) if size > decoder.most)
    assert decoder.passes[too_many + 1] <= decoder.passes[too_many] / 2


async def test_a_device_that_fails_is_told_and_seen_to_recover(
    loop_of: LoopOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_loop, "_TRIAL_S", 0.02)
    decoder = ScriptedDecoder(slots=1)
    loop = loop_of(decoder)
    decoder.broken = True
    answers = await say_all(loop, GOOD)
    assert all(isinstance(answer, RapportError) for answer in answers)
    await until(lambda: not loop.health().ready)
    decoder.broken = False
    await until(lambda: loop.health().ready)
    await alive(loop)


async def test_a_device_that_never_recovers_ends_the_process(loop_of: LoopOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_loop, "_TRIAL_S", 0.01)
    loop = loop_of(decoder := ScriptedDecoder(slots=1))
    decoder.broken = True
    await say_all(loop, GOOD)
    await until(lambda: not loop.health().live)
    assert "in a row" in loop.health().detail


async def test_readiness_follows_the_devices_thread(
    loop_of: LoopOf, device: DeviceThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_loop, "_TRIAL_S", 0.01)
    loop = loop_of(ScriptedDecoder())
    await alive(loop)
    device.close()
    with pytest.raises(UnavailableError):
        await whole(loop.generate(request("anybody there")))
    await until(lambda: not loop.health().ready)


async def test_a_pass_that_does_not_come_back_is_told(loop_of: LoopOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation_loop, "_UNREADY_AFTER_S", 0.05)
    loop = loop_of(decoder := ScriptedDecoder(held=True))
    writing = asyncio.create_task(whole(loop.generate(request("slow"))))
    await until(lambda: not loop.health().ready)
    assert "one pass" in loop.health().detail
    decoder.open.set()
    await writing
    assert loop.health().ready


async def test_an_adapter_that_is_not_there_is_named(loop_of: LoopOf) -> None:
    loop = loop_of(ScriptedDecoder())
    with pytest.raises(NotFound) as caught:
        await whole(loop.generate(request("hi", adapter="nobody")))
    assert caught.value.field == "adapter"
    assert (await whole(loop.generate(request("hi", adapter="brand"))))[0] == "hi "
