"""Every RPC of every worker: the messages on the wire, and what our clients make of them."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rapport.contracts.worker.v1 import (
    classifier_pb2,
    common_pb2,
    encoder_pb2,
    generator_pb2,
    reader_pb2,
    sequence_ranker_pb2,
)
from rapport.contracts.worker.v1.classifier_pb2_grpc import ClassifierStub
from rapport.contracts.worker.v1.encoder_pb2_grpc import EncoderStub
from rapport.contracts.worker.v1.generator_pb2_grpc import GeneratorStub
from rapport.ops.errors import InvalidRequest, NotFound
from rapport.serving.client import (
    ClassifierClient,
    EncoderClient,
    GeneratorClient,
    Priority,
    Role,
    Turn,
    WorkerChannel,
    collect,
)
from rapport.serving.inference_service import INFERENCE
from rapport.serving.worker import CLASSIFIER, ENCODER, GENERATOR

SEQUENCE_RANKER = sequence_ranker_pb2.DESCRIPTOR.services_by_name["SequenceRanker"].full_name
READER = reader_pb2.DESCRIPTOR.services_by_name["Reader"].full_name
encoders = pytest.mark.parametrize("address", ["profiler", "recommender", "chatbot"], indirect=True)
classifiers = pytest.mark.parametrize("address", ["profiler"], indirect=True)
generators = pytest.mark.parametrize("address", ["chatbot", "content"], indirect=True)
HOSTED = [
    ("profiler", {ENCODER, CLASSIFIER, INFERENCE, "encoder", "sentiment"}, {"aspects", "customer-type-texts"}),
    ("recommender", {ENCODER, INFERENCE, SEQUENCE_RANKER, "encoder"}, set()),
    (
        "chatbot",
        {ENCODER, CLASSIFIER, INFERENCE, GENERATOR, READER, "encoder", "sentiment", "generator"},
        {"chatbot-intents"},
    ),
    ("content", {GENERATOR, "generator"}, set()),
]


@encoders
@pytest.mark.parametrize(("asked", "dtype", "bytes_each"), [("", "float16", 2), ("float32", "float32", 4)])
async def test_embed_on_the_wire(channel: WorkerChannel, asked: str, dtype: str, bytes_each: int) -> None:
    request = encoder_pb2.EmbedRequest(texts=["red shirt", "红色衬衫"], dtype=asked)
    answer = await channel.stub(EncoderStub).Embed(request)
    vectors = answer.vectors
    assert vectors.dtype == dtype
    assert list(vectors.shape) == [2, 384]
    assert len(vectors.data) == 2 * 384 * bytes_each
    rows = np.frombuffer(vectors.data, dtype).reshape(2, 384)
    assert np.allclose(np.linalg.norm(rows.astype(np.float32), axis=1), 1, atol=1e-2)
    assert answer.model.id
    assert answer.model.revision
    assert answer.usage.input_tokens == 5
    assert answer.usage.queue_ms >= 0
    assert answer.usage.compute_ms > 0


@encoders
async def test_embed_by_the_client(channel: WorkerChannel) -> None:
    client = EncoderClient(channel, max_texts=5)
    texts = [f"text number {number}" for number in range(12)]
    embedded = await client.embed(texts, role=Role.QUERY, priority=Priority.BULK)
    assert embedded.vectors.shape == (12, 384)
    assert np.allclose(np.linalg.norm(embedded.vectors, axis=1), 1, atol=1e-6)
    alone = await client.embed([texts[7]], role=Role.QUERY)
    assert alone.vectors[0] @ embedded.vectors[7] > 0.999
    assert alone.model == embedded.model


@encoders
@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        (encoder_pb2.EmbedRequest(), grpc.StatusCode.INVALID_ARGUMENT, "texts: an empty list"),
        (encoder_pb2.EmbedRequest(texts=["a"] * 6), grpc.StatusCode.INVALID_ARGUMENT, "at most 5"),
        (encoder_pb2.EmbedRequest(texts=["a", "b" * 101]), grpc.StatusCode.INVALID_ARGUMENT, "texts[1]"),
        (encoder_pb2.EmbedRequest(texts=["a"], dtype="int3"), grpc.StatusCode.INVALID_ARGUMENT, "dtype"),
        (encoder_pb2.EmbedRequest(texts=["a"], model="gpt"), grpc.StatusCode.NOT_FOUND, "model"),
    ],
)
async def test_embed_refuses_and_names_the_field(
    channel: WorkerChannel, request_: encoder_pb2.EmbedRequest, status: grpc.StatusCode, said: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.stub(EncoderStub).Embed(request_)
    assert caught.value.code() == status
    assert said in str(caught.value.details())


@encoders
async def test_odd_texts_are_texts(channel: WorkerChannel) -> None:
    embedded = await EncoderClient(channel).embed(["", "\0", "\U0001f600", "  \n", "�"])
    assert np.isfinite(embedded.vectors).all()


@classifiers
async def test_classify_on_the_wire(channel: WorkerChannel) -> None:
    request = classifier_pb2.ClassifyRequest(task="sentiment", texts=["I love it", "broken", "when?"])
    answer = await channel.stub(ClassifierStub).Classify(request)
    assert list(answer.labels) == ["negative", "neutral", "positive"]
    assert list(answer.probabilities.shape) == [3, 3]
    assert answer.probabilities.dtype == "float32"
    assert answer.model.id
    assert answer.usage.input_tokens > 0


@classifiers
async def test_classify_by_the_client(channel: WorkerChannel) -> None:
    client = ClassifierClient(channel)
    classified = await client.classify("sentiment", ["I love it", "this is terrible"])
    assert classified.best() == ["positive", "negative"]
    assert np.allclose(classified.probabilities.sum(axis=1), 1, atol=1e-5)
    energies = (await client.classify("sentiment", ["I love it, perfect", "zebra quartz"])).energies
    assert energies is not None
    assert energies[1] > energies[0]
    with pytest.raises(NotFound, match="sentiment"):
        await client.classify("mood", ["x"])
    with pytest.raises(InvalidRequest, match="texts"):
        await client.classify("sentiment", [])


@generators
async def test_generate_on_the_wire(channel: WorkerChannel) -> None:
    turns = [generator_pb2.ChatTurn(role="user", content="one two three")]
    stream = channel.stub(GeneratorStub).Generate(generator_pb2.GenerateRequest(messages=turns))
    answers = [answer async for answer in stream]
    assert "".join(answer.text for answer in answers) == "one two three"
    assert len(answers) > 2
    assert {answer.finish_reason for answer in answers[:-1]} == {generator_pb2.FINISH_REASON_UNSPECIFIED}
    last = answers[-1]
    assert last.finish_reason == generator_pb2.FINISH_REASON_STOP
    assert last.model != common_pb2.ModelRef()
    assert last.usage.input_tokens > 0
    assert last.usage.output_tokens == 4
    assert last.time_to_first_token_ms > 0


@generators
async def test_generate_by_the_client(channel: WorkerChannel) -> None:
    client = GeneratorClient(channel)
    turns = [Turn("system", "be kind"), Turn("user", "one two three four five six seven eight")]
    whole = await collect(client.generate(turns))
    assert (whole.finish, whole.output_tokens, len(whole.text.split())) == ("length", 6, 6)
    stopped = await collect(client.generate(turns, stop=["three"]))
    assert (stopped.text, stopped.finish) == ("one two ", "stop")
    drawn = [await collect(client.generate(turns, temperature=0.8, seed=seed)) for seed in (1, 1, 2)]
    assert drawn[0].text == drawn[1].text != drawn[2].text


@generators
@pytest.mark.parametrize(
    ("turns", "more", "field"),
    [
        ([], {}, "messages"),
        ([Turn("robot", "hi")], {}, "messages[0].role"),
        ([Turn("user", "hi")], {"temperature": 9.0}, "temperature"),
        ([Turn("user", "hi")], {"top_p": float("nan")}, "top_p"),
        ([Turn("user", "hi")], {"max_tokens": 1_000_000}, "max_tokens"),
        ([Turn("user", "x" * 9000)], {}, "messages"),
    ],
)
async def test_generate_refuses_and_names_the_field(
    channel: WorkerChannel, turns: list[Turn], more: dict[str, float], field: str
) -> None:
    client = GeneratorClient(channel)
    with pytest.raises(InvalidRequest) as caught:
        await collect(client.generate(turns, **more))  # type: ignore[arg-type]
    assert field in str(caught.value)
    assert (await collect(client.generate([Turn("user", "fine")]))).text == "fine"


@pytest.mark.parametrize(("address", "services", "once_promoted"), HOSTED, indirect=["address"])
async def test_each_worker_hosts_what_its_service_needs(
    address: str, services: set[str], once_promoted: set[str]
) -> None:
    async with grpc.aio.insecure_channel(address) as raw:
        listed = await health_pb2_grpc.HealthStub(raw).List(health_pb2.HealthListRequest())
        assert set(listed.statuses) == {"", *services, *once_promoted}
        serving = health_pb2.HealthCheckResponse.SERVING
        ready = {name for name, status in listed.statuses.items() if status.status == serving}
        assert ready == {"", *services}
