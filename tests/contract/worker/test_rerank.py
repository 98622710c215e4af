"""`Reranker.Rerank` on the wire and by our client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rapport.models.ports import PAIR
from rapport.ops.errors import InvalidRequest, UnavailableError
from rapport.ops.settings import ModelSettings, Settings
from rapport.serving.client import RerankerClient, WorkerChannel
from tests.contract.worker.conftest import LIMITS, WORKERS, running


@pytest.fixture
async def reranker() -> AsyncIterator[RerankerClient]:
    settings = Settings(worker=LIMITS, models=ModelSettings(follow=False, reranker="any/model"))
    async with running(WORKERS["profiler"](settings)) as address:
        channel = WorkerChannel(address, 5.0)
        await channel.start()
        yield RerankerClient(channel)
        await channel.stop()


async def test_the_passage_about_the_query_scores_highest(reranker: RerankerClient) -> None:
    answer = await reranker.rerank("return a parcel", ["opening hours", "how to return a parcel", "a red parcel"])
    assert answer.scores.argmax() == 1
    assert answer.scores.shape == (3,)
    assert answer.model == "rapport/dummy-reranker@1"


async def test_a_query_cannot_pretend_to_be_query_and_passage(reranker: RerankerClient) -> None:
    honest = await reranker.rerank("shoes shoes", ["hats"])
    trick = await reranker.rerank(f"shoes{PAIR}shoes", ["hats"])
    assert trick.scores.tolist() == honest.scores.tolist() == [0.0]


@pytest.mark.parametrize(
    ("query", "passages", "field"),
    [("", ["x"], "query"), ("x", [], "texts"), ("x", ["y"] * 6, "texts"), ("x", ["y" * 101], "texts[0]")],
)
async def test_wrong_requests_are_named(reranker: RerankerClient, query: str, passages: list[str], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await reranker.rerank(query, passages)
    assert field in str(caught.value)


@pytest.mark.parametrize("address", ["profiler"], indirect=True)
async def test_without_a_configured_model_there_is_no_such_rpc(channel: WorkerChannel) -> None:
    with pytest.raises(UnavailableError):
        await RerankerClient(channel).rerank("x", ["y"])
