"""Another server behind our port: what our callers see of its answers, its refusals and its absence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from rapport.models.text_ports import Constraint, Sampling
from rapport.ops.errors import (
    DeadlineError,
    InvalidRequest,
    ModelError,
    NotFound,
    OverloadedError,
    RapportError,
    UnavailableError,
)
from rapport.ops.settings import Settings
from rapport.serving.client import GeneratorClient, Turn, WorkerChannel, collect
from rapport.serving.deadline import deadline_in
from rapport.serving.generating import remote
from rapport.serving.generating.remote import RemoteEngine
from services.content.worker import parts as content_worker
from tests.contract.worker.conftest import running
from tests.unit.serving.openai_server import OpenAIServer
from tests.unit.serving.test_generation import request, whole
from tests.unit.serving.waiting import until


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer().running() as server:
        yield server


@pytest.fixture
async def engine(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RemoteEngine]:
    monkeypatch.setattr(remote, "_LOOK_EVERY_S", 0.05)
    engine = RemoteEngine("test", server.url, model="shop", key="k", max_queue=2, default_max_tokens=20)
    engine.start()
    await until(lambda: engine.health().ready)
    yield engine
    await engine.stop()


async def test_a_text_comes_with_the_servers_figures(engine: RemoteEngine, server: OpenAIServer) -> None:
    text, last = await whole(engine.generate(request("recommend boots")))
    assert (text, last.finish) == ("a pair of boots", "stop")
    assert (last.input_tokens, last.output_tokens, last.reused_tokens) == (7, 9, 5)
    assert last.first_token_s > 0
    server.finish = "length"
    assert (await whole(engine.generate(request("recommend boots"))))[1].finish == "length"


async def test_everything_that_was_asked_for_reaches_the_server(engine: RemoteEngine, server: OpenAIServer) -> None:
    how = Sampling(0.7, 0.9, 40, 0.5, -0.5, seed=3)
    await whole(engine.generate(request("hi", sampling=how, max_tokens=9, stop=("#",), adapter="brand")))
    await whole(engine.generate(request("hi", constraint=Constraint("regex", "[a-z ]+"))))
    first, second = server.bodies
    asked: dict[str, object] = {
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 40,
        "frequency_penalty": 0.5,
        "presence_penalty": -0.5,
    }
    asked |= {"seed": 3, "max_tokens": 9, "stop": ["#"], "model": "brand"}
    assert first.items() >= asked.items()
    assert first["messages"] == [{"role": "user", "content": "hi"}]
    assert second["structured_outputs"] == {"regex": "[a-z ]+"}
    assert second["max_tokens"] == 20
    assert "seed" not in second


async def test_stop_strings_hold_even_where_the_server_ignores_them(engine: RemoteEngine) -> None:
    text, last = await whole(engine.generate(request("hi", stop=("r of",))))
    assert (text, last.finish) == ("a pai", "stop")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidRequest),
        (422, InvalidRequest),
        (429, OverloadedError),
        (401, UnavailableError),
        (404, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
    ],
)
async def test_a_refusal_keeps_its_meaning(
    engine: RemoteEngine, server: OpenAIServer, status: int, error: type[RapportError]
) -> None:
    server.status = status
    with pytest.raises(error, match="no, because"):
        await whole(engine.generate(request("hi")))
    server.status = 200
    await until(lambda: engine.health().ready)
    assert (await whole(engine.generate(request("hi"))))[0] == "a pair of boots"


async def test_an_adapter_that_is_not_there_is_not_found(engine: RemoteEngine, server: OpenAIServer) -> None:
    server.status = 404
    with pytest.raises(NotFound):
        await whole(engine.generate(request("hi", adapter="nobody")))
    assert engine.health().ready


async def test_a_schema_that_the_server_did_not_keep_is_an_error(engine: RemoteEngine, server: OpenAIServer) -> None:
    schema = Constraint("json_schema", '{"type": "object"}')
    with pytest.raises(ModelError, match="schema"):
        await whole(engine.generate(request("hi", constraint=schema)))
    server.words = ['{"a"', ": 1}"]
    assert (await whole(engine.generate(request("hi", constraint=schema))))[0] == '{"a": 1}'
    assert server.bodies[0]["response_format"]["json_schema"]["schema"] == {"type": "object"}
    with pytest.raises(InvalidRequest):
        await whole(engine.generate(request("hi", constraint=Constraint("json_schema", "{"))))


async def test_the_queue_is_bounded_and_leaving_closes_the_call(engine: RemoteEngine, server: OpenAIServer) -> None:
    server.hold.clear()
    waiting = [asyncio.create_task(whole(engine.generate(request("hi")))) for _ in range(2)]
    await until(lambda: len(server.bodies) == 2)
    with pytest.raises(OverloadedError):
        await whole(engine.generate(request("hi")))
    for task in waiting:
        task.cancel()
    await until(lambda: server.gone == 2)
    server.hold.set()
    assert (await whole(engine.generate(request("hi"))))[1].finish == "stop"


async def test_a_deadline_holds(engine: RemoteEngine, server: OpenAIServer) -> None:
    server.hold.clear()
    with pytest.raises(DeadlineError), deadline_in(0.2):
        await whole(engine.generate(request("hi")))


async def test_a_text_that_breaks_off_is_no_text(engine: RemoteEngine, server: OpenAIServer) -> None:
    server.finish = ""
    with pytest.raises(UnavailableError, match="broke off"):
        await whole(engine.generate(request("hi")))


async def test_a_missing_endpoint_or_model_says_what_was_looked_for(server: OpenAIServer) -> None:
    server.names = ["other"]
    server.status = 404
    for url, said in ((server.url, "shop"), ("http://127.0.0.1:9/v1", "127.0.0.1:9")):
        engine = RemoteEngine("test", url, model="shop", key="", max_queue=2, default_max_tokens=20)
        engine.start()
        await until(lambda: "Error" in engine.health().detail)  # noqa: B023 - waited for in this round
        assert not engine.health().ready
        assert engine.health().live
        assert said in engine.health().detail
        with pytest.raises(UnavailableError, match=said):
            await whole(engine.generate(request("hi")))
        await engine.stop()


async def test_a_server_that_lists_nothing_is_tried(server: OpenAIServer) -> None:
    server.names = []
    engine = RemoteEngine("test", server.url, model="/a/folder", key="", max_queue=2, default_max_tokens=20)
    engine.start()
    await until(lambda: engine.health().ready)
    assert server.bodies[0]["max_tokens"] == 1
    await engine.stop()


async def test_a_worker_with_a_url_serves_the_same_rpc(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_MODELS__GENERATOR_URL", server.url)
    monkeypatch.setenv("RAPPORT_MODELS__GENERATOR", "shop")
    monkeypatch.setenv("RAPPORT_MODELS__ADAPTERS", '{"brand": "/models/brand"}')
    settings = Settings.load()
    assert settings.models.adapters == {"brand": "/models/brand"}
    async with running(content_worker(settings)) as address:
        channel = WorkerChannel(address, 5.0)
        await channel.start()
        whole = await collect(GeneratorClient(channel).generate([Turn("user", "hi")], adapter="brand"))
        assert (whole.text, whole.model, whole.reused_tokens) == ("a pair of boots", "shop@remote", 5)
        server.status = 429
        with pytest.raises(OverloadedError):
            await collect(GeneratorClient(channel).generate([Turn("user", "hi")]))
        await channel.stop()
