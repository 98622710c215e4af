"""The sequence model: learns an order, answers over real loopback gRPC, is replaced while it serves."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rapport.contracts.worker.v1 import sequence_ranker_pb2 as wire
from rapport.contracts.worker.v1.sequence_ranker_pb2_grpc import (
    SequenceRankerStub,
    add_SequenceRankerServicer_to_server,
)
from rapport.models.registry import Registry
from rapport.models.versions import Version
from rapport.ops.errors import InvalidRequest, ModelError, UnavailableError
from rapport.ops.settings import GrpcSettings, WorkerSettings
from rapport.serving.channel import WorkerChannel
from rapport.serving.device_thread import DeviceThread
from rapport.serving.server import GrpcServer
from rapport.serving.tensors import from_tensor
from services.recommender.learned.names import SEQUENCE
from services.recommender.learned.sequence import SequenceRecall
from services.recommender.worker.sasrec.service import RANKER, RankService, SequenceHost
from services.recommender.worker.sasrec.shape import Plan, Shape

ITEMS = tuple(f"p{number}" for number in range(12))
# Two rounds: even items follow each other, and odd ones.
SEQUENCES = [np.array([(start + 2 * step) % 12 for step in range(6)], np.int32) for start in range(12)] * 12


@pytest.fixture(scope="module", params=[0, 6], ids=["full cross-entropy", "drawn negatives"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from rapport.models.torch_device import set_threads
    from services.recommender.worker.sasrec.fitting import fit
    from services.recommender.worker.sasrec.store import save

    set_threads(1)  # several wait for each other on a machine that is busy with other tests
    shape = Shape(items=12, width=16, blocks=1, heads=1, window=8, dropout=0.0, attention_dropout=0.0)
    fitted = fit(SEQUENCES, shape, Plan(epochs=20, batch=16, rate=1e-2, negatives=request.param))
    folder = tmp_path_factory.mktemp("sasrec")
    save(fitted.model, ITEMS, folder)
    return folder


@pytest.fixture
def version(trained: Path, tmp_path: Path) -> Version:
    return Registry(tmp_path / "cache").register(trained, name=SEQUENCE, kind="sasrec")


@pytest.fixture
async def host() -> AsyncIterator[SequenceHost]:
    device = DeviceThread("test-device")
    host = SequenceHost(WorkerSettings(device="cpu", max_texts=4), device)
    yield host
    await host.stop()
    device.close()


@pytest.fixture
async def channel(host: SequenceHost) -> AsyncIterator[WorkerChannel]:
    servicing = (add_SequenceRankerServicer_to_server, RankService(host, 4), RANKER)
    server = GrpcServer("test", GrpcSettings(), [servicing])
    await server.start()
    channel = WorkerChannel(f"127.0.0.1:{server.port}", 5.0)
    await channel.start()
    yield channel
    await channel.stop()
    await server.stop()


async def _rank(
    channel: WorkerChannel, *sequences: Sequence[str], candidates: Sequence[str] = (), limit: int = 3
) -> wire.RankSequenceResponse:
    asked = [wire.ItemSequence(item_ids=each) for each in sequences]
    request = wire.RankSequenceRequest(sequences=asked, candidates=candidates, limit=limit)
    return await channel.call(channel.stub(SequenceRankerStub).Rank, request, timeout_s=5.0)


async def test_what_follows_is_found(host: SequenceHost, channel: WorkerChannel, version: Version) -> None:
    await host.use(version)
    answer = await _rank(channel, ["p0", "p2", "p4"], ["p1", "p3"])
    assert [ranked.item_ids[0] for ranked in answer.ranked] == ["p6", "p5"]
    scores = from_tensor(answer.ranked[0].scores)
    assert list(scores) == sorted(scores, reverse=True)
    # Much likelier than one of twelve at random: log(12) is the most.
    assert 1.0 < scores[0] <= np.log(12)
    assert (answer.model.id, answer.model.revision) == (SEQUENCE, version.version)
    assert answer.usage.input_tokens == 5


async def test_a_sequence_alone_or_among_others_gets_the_same(
    host: SequenceHost, channel: WorkerChannel, version: Version
) -> None:
    await host.use(version)
    alone = await _rank(channel, ["p1", "p3"])
    among = await _rank(channel, ["p0", "p2", "p4", "p6", "p8"], ["p1", "p3"])
    assert alone.ranked[0].item_ids == among.ranked[1].item_ids
    assert from_tensor(alone.ranked[0].scores) == pytest.approx(from_tensor(among.ranked[1].scores), abs=1e-4)


async def test_only_candidates_when_some_are_named(
    host: SequenceHost, channel: WorkerChannel, version: Version
) -> None:
    await host.use(version)
    answer = await _rank(channel, ["p0", "p2"], candidates=["p9", "p4", "unknown"])
    assert list(answer.ranked[0].item_ids) == ["p4", "p9"]


async def test_unknown_items_are_passed_over(host: SequenceHost, channel: WorkerChannel, version: Version) -> None:
    await host.use(version)
    answer = await _rank(channel, ["new", "p0", "newer", "p2"], ["new"])
    assert answer.ranked[0].item_ids[0] == "p4"
    assert list(answer.ranked[1].item_ids) == []


async def test_without_a_promoted_model_callers_are_told(host: SequenceHost, channel: WorkerChannel) -> None:
    with pytest.raises(UnavailableError, match="no sequence model is promoted"):
        await _rank(channel, ["p0"], limit=1)
    assert host.health().ready


async def test_what_cannot_be_asked_is_refused(host: SequenceHost, channel: WorkerChannel, version: Version) -> None:
    await host.use(version)
    with pytest.raises(InvalidRequest, match="sequences"):
        await _rank(channel)
    with pytest.raises(InvalidRequest, match="sequences"):
        await _rank(channel, *[["p0"]] * 5)
    with pytest.raises(InvalidRequest, match="limit"):
        await _rank(channel, ["p0"], limit=1001)


async def test_a_damaged_version_leaves_the_old_one_serving(
    host: SequenceHost, channel: WorkerChannel, version: Version, trained: Path, tmp_path: Path
) -> None:
    await host.use(version)
    broken = shutil.copytree(trained, tmp_path / "broken")
    (broken / "items.json").write_text('["p0"]')
    bad = Registry(tmp_path / "cache").register(broken, name=SEQUENCE, kind="sasrec")
    with pytest.raises(ModelError):
        await host.use(bad)
    assert (await _rank(channel, ["p0", "p2"])).model.revision == version.version


async def test_the_service_asks_once_a_model_is_promoted(
    host: SequenceHost, channel: WorkerChannel, version: Version
) -> None:
    recall = SequenceRecall(channel, "default")
    assert await recall.recall("default", [["p0"]], 3) == [()]
    await recall.use(version)
    await host.use(version)
    (found,) = await recall.recall("default", [["p0", "p2"]], 3)
    assert found[0][0] == "p4"
    assert all(0 < score < 1 for _, score in found)
    assert await recall.recall("other", [["p0"]], 3) == [()]
    assert await recall.recall("default", [[]], 3) == [()]


async def test_no_call_is_dropped_while_a_version_takes_over(
    host: SequenceHost, channel: WorkerChannel, version: Version, trained: Path, tmp_path: Path
) -> None:
    await host.use(version)
    after = Registry(tmp_path / "cache").register(trained, name=SEQUENCE, kind="sasrec", version="newer")
    calls = [asyncio.create_task(_rank(channel, ["p0", "p2"])) for _ in range(40)]
    await host.use(after)
    answers = await asyncio.gather(*calls)
    assert {answer.ranked[0].item_ids[0] for answer in answers} == {"p4"}
    assert (await _rank(channel, ["p0"])).model.revision == "newer"
