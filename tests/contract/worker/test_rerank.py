"""`Reranker.Rerank` on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rapport.contracts.worker.v1.reranker_pb2 import RerankRequest, RerankResponse
from rapport.contracts.worker.v1.reranker_pb2_grpc import RerankerStub
from rapport.models.ports import PAIR
from rapport.ops.errors import InvalidRequest, UnavailableError
from rapport.ops.settings import ModelSettings, Settings
from rapport.serving.client import WorkerChannel
from rapport.serving.tensors import from_tensor
from tests.contract.worker.conftest import LIMITS, WORKERS, running


@pytest.fixture
async def reranker() -> AsyncIterator[WorkerChannel]:
    settings = Settings(worker=LIMITS, models=ModelSettings(follow=False, reranker="any/model"))
    async with running(WORKERS["profiler"](settings)) as address:
        channel = WorkerChannel(address, 5.0)
        await channel.start()
        yield channel
        await channel.stop()


async def rerank(channel: WorkerChannel, query: str, passages: list[str]) -> RerankResponse:
    return await channel.call(channel.stub(RerankerStub).Rerank, RerankRequest(query=query, passages=passages))


async def test_the_passage_about_the_query_scores_highest(reranker: WorkerChannel) -> None:
    passages = ["opening hours", "how to return a parcel", "a red parcel"]
    answer = await rerank(reranker, "return a parcel", passages)
    scores = from_tensor(answer.scores, "scores")
    assert scores.argmax() == 1
    assert scores.shape == (3,)
    assert (answer.model.id, answer.model.revision) == ("rapport/dummy-reranker", "1")


async def test_a_query_cannot_pretend_to_be_query_and_passage(reranker: WorkerChannel) -> None:
    honest = await rerank(reranker, "shoes shoes", ["hats"])
    trick = await rerank(reranker, f"shoes{PAIR}shoes", ["hats"])
    assert [from_tensor(each.scores, "scores").tolist() for each in (trick, honest)] == [[0.0], [0.0]]


@pytest.mark.parametrize(
    ("query", "passages", "field"),
    [("", ["x"], "query"), ("x", [], "texts"), ("x", ["y"] * 6, "texts"), ("x", ["y" * 101], "texts[0]")],
)
async def test_wrong_requests_are_named(reranker: WorkerChannel, query: str, passages: list[str], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await rerank(reranker, query, passages)
    assert field in str(caught.value)


@pytest.mark.parametrize("address", ["profiler"], indirect=True)
async def test_without_a_configured_model_there_is_no_such_rpc(channel: WorkerChannel) -> None:
    with pytest.raises(UnavailableError):
        await rerank(channel, "x", ["y"])
