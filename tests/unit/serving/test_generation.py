"""What callers see of the generation loop, and that none of them can end it for the others."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from rapport.models.text_ports import Sampling
from rapport.ops.errors import DeadlineError, InvalidRequest, OverloadedError, UnavailableError
from rapport.serving.deadline import deadline_in
from rapport.serving.generating import job as text_job
from rapport.serving.generating.engine import TextPiece, TextRequest
from rapport.serving.generating.loop import GenerationLoop
from tests.unit.serving.backends import ScriptedDecoder
from tests.unit.serving.conftest import LoopOf
from tests.unit.serving.waiting import until


def request(text: str, **more: Any) -> TextRequest:
    return TextRequest(turns=[("user", text)], **{"sampling": Sampling(), **more})


async def whole(pieces: AsyncGenerator[TextPiece, None]) -> tuple[str, TextPiece]:
    found = [piece async for piece in pieces]
    assert [piece.finish for piece in found[:-1]] == [None] * (len(found) - 1)
    return "".join(piece.text for piece in found), found[-1]


async def alive(loop: GenerationLoop) -> None:
    assert (await whole(loop.generate(request("still here"))))[0] == "still here "
    assert loop.health().ready


async def test_the_last_piece_has_the_figures(loop_of: LoopOf) -> None:
    text, last = await whole(loop_of(ScriptedDecoder()).generate(request("one two three")))
    assert text == "one two three "
    assert (last.finish, last.input_tokens, last.output_tokens) == ("stop", 3, 4)
    assert last.first_token_s > 0
    assert last.compute_s > 0


async def test_max_tokens_ends_a_text(loop_of: LoopOf) -> None:
    loop = loop_of(ScriptedDecoder(), default_max_tokens=2)
    text, last = await whole(loop.generate(request("one two three four", max_tokens=3)))
    assert (text, last.finish, last.output_tokens) == ("one two three ", "length", 3)
    assert (await whole(loop.generate(request("one two three four"))))[0] == "one two "


async def test_a_stop_string_ends_a_text_and_its_work(loop_of: LoopOf) -> None:
    decoder = ScriptedDecoder()
    text, last = await whole(loop_of(decoder).generate(request("one two END three", stop=("END",))))
    assert (text, last.finish) == ("one two ", "stop")
    assert decoder.steps[-1] == "END"


async def test_texts_go_together_and_new_ones_join_in_between(loop_of: LoopOf) -> None:
    decoder = ScriptedDecoder(slots=2, held=True)
    loop = loop_of(decoder)
    tasks = [asyncio.create_task(whole(loop.generate(request(text)))) for text in ("a a a a a a a a a", "b", "c")]
    await until(lambda: loop._pending == 3)
    decoder.open.set()
    await asyncio.gather(*tasks)
    said = "".join(decoder.steps)
    assert max(decoder.passes) == 2
    assert said.index("c") < len(said) - 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (TextRequest([], Sampling()), "messages"),
        (TextRequest([("robot", "hi")], Sampling()), "messages[0].role"),
        (request("hi", sampling=Sampling(temperature=-1)), "sampling.temperature"),
        (request("hi", sampling=Sampling(temperature=math.nan)), "sampling.temperature"),
        (request("hi", sampling=Sampling(top_p=0)), "sampling.top_p"),
        (request("hi", sampling=Sampling(top_p=math.inf)), "sampling.top_p"),
        (request("hi", sampling=Sampling(top_k=-1)), "sampling.top_k"),
        (request("hi", sampling=Sampling(frequency_penalty=math.nan)), "sampling.frequency_penalty"),
        (request("hi", sampling=Sampling(presence_penalty=3)), "sampling.presence_penalty"),
        (request("hi", stop=("",)), "sampling.stop"),
        (request("hi", stop=("x",) * 9), "sampling.stop"),
        (request("hi", max_tokens=50), "sampling.max_tokens"),
        (request("word " * 60), "messages"),
        (request("w" * 1_000_000), "messages"),
    ],
)
async def test_a_request_that_cannot_be_answered_is_refused(loop_of: LoopOf, wrong: TextRequest, field: str) -> None:
    decoder = ScriptedDecoder()
    loop = loop_of(decoder)
    with pytest.raises(InvalidRequest) as caught:
        await whole(loop.generate(wrong))
    assert caught.value.field == field
    assert not decoder.steps
    await alive(loop)


async def test_a_full_queue_refuses_and_then_takes_again(loop_of: LoopOf) -> None:
    decoder = ScriptedDecoder(held=True)
    loop = loop_of(decoder, max_queue=1)
    first = asyncio.create_task(whole(loop.generate(request("a"))))
    await until(lambda: loop._pending == 1)
    with pytest.raises(OverloadedError):
        await whole(loop.generate(request("b")))
    decoder.open.set()
    await first
    await alive(loop)


async def test_leaving_frees_the_slot(loop_of: LoopOf) -> None:
    decoder = ScriptedDecoder(slots=1)
    loop = loop_of(decoder, max_queue=2)
    pieces = loop.generate(request("word " * 40, max_tokens=9))
    assert (await anext(pieces)).text == "word "
    await pieces.aclose()
    await alive(loop)
    assert decoder.steps.count("word") < 40
    assert loop._pending == 0


async def test_a_cancelled_text_that_waits_is_forgotten(loop_of: LoopOf) -> None:
    decoder = ScriptedDecoder(slots=1, held=True)
    loop = loop_of(decoder)
    first = asyncio.create_task(whole(loop.generate(request("first"))))
    await until(lambda: len(loop._rounds.running) == 1)
    second = asyncio.create_task(whole(loop.generate(request("second"))))
    await until(lambda: len(loop._rounds.waiting) == 1)
    second.cancel()
    await until(lambda: len(loop._rounds.waiting) == 0)
    decoder.open.set()
    await first
    await alive(loop)
    assert "second" not in decoder.steps


async def test_a_text_whose_time_runs_out_is_told_and_ends(loop_of: LoopOf) -> None:
    decoder = ScriptedDecoder(held=True)
    loop = loop_of(decoder)
    with deadline_in(0.05):
        late = asyncio.create_task(whole(loop.generate(request("a b c d"))))
    await asyncio.sleep(0.1)
    decoder.open.set()
    with pytest.raises(DeadlineError):
        await late
    await alive(loop)


async def test_a_reader_that_stops_reading_loses_its_slot(loop_of: LoopOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_job, "_PIECES", 3)
    monkeypatch.setattr(text_job.TextJob.__init__, "__defaults__", (0.1,))
    decoder = ScriptedDecoder(slots=1)
    loop = loop_of(decoder)
    pieces = loop.generate(request("word " * 20, max_tokens=20))
    await anext(pieces)
    await until(lambda: len(decoder.steps) >= 4)
    await alive(loop)
    assert decoder.steps.count("word") < 10
    with pytest.raises(DeadlineError):
        await whole(pieces)


async def test_stopping_tells_those_under_way(loop_of: LoopOf) -> None:
    decoder = ScriptedDecoder(slots=1)
    loop = loop_of(decoder)
    pieces = loop.generate(request("word " * 40, max_tokens=9))
    await anext(pieces)
    await loop.stop()
    with pytest.raises(UnavailableError):
        await whole(pieces)
    assert not loop.health().live
