"""The Open Inference Protocol on a worker's port: by an unmodified Triton client, and by our own adapter."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import grpc
import numpy as np
import pytest

from rapport.contracts.openinference.v2 import inference_service_pb2 as wire
from rapport.contracts.openinference.v2.inference_service_pb2_grpc import GRPCInferenceServiceStub
from rapport.ops.errors import ConfigurationError, NotFound
from rapport.serving.client import EncoderClient, Role, WorkerChannel
from rapport.serving.inference_tensors import packed_texts

profiler = pytest.mark.parametrize("address", ["profiler"], indirect=True)

# In a process of its own: Triton's generated code claims the same message names as ours.
_TRITON = """
import sys
import numpy as np
import tritonclient.grpc as triton

client = triton.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("encoder") and client.is_model_ready("sentiment")
assert not client.is_model_ready("nothing")
told = client.get_model_metadata("encoder")
assert (told.inputs[0].name, told.inputs[0].datatype) == ("text", "BYTES")

def ask(model, texts, **more):
    given = triton.InferInput("text", [len(texts)], "BYTES")
    given.set_data_from_numpy(np.array([text.encode() for text in texts], dtype=object))
    return client.infer(model, [given], **more)

vectors = ask("encoder", ["red shirt", "红色衬衫", "red shirt"]).as_numpy("embedding")
assert vectors.shape == (3, 384) and vectors.dtype == np.float32
assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
assert np.allclose(vectors[0], vectors[2]) and not np.allclose(vectors[0], vectors[1])
moods = ask("sentiment", ["I love it, great", "terrible and broken"])
assert moods.as_numpy("probabilities").shape == (2, 3)
assert [label.decode() for label in moods.as_numpy("label")] == ["positive", "negative"]
try:
    ask("nothing", ["x"])
except triton.InferenceServerException if hasattr(triton, "InferenceServerException") else Exception as error:
    assert "encoder" in str(error), error
else:
    raise AssertionError("a model that is not there answered")
print("fine")
"""


@profiler
async def test_an_unmodified_triton_client_gets_embeddings_and_labels(address: str) -> None:
    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", _TRITON, address], capture_output=True, text=True, timeout=60, check=False
        )

    done = await asyncio.to_thread(run)
    assert done.stdout.strip() == "fine", done.stderr


@profiler
async def test_our_client_gets_the_same_through_either_protocol(address: str) -> None:
    texts = [f"text number {number}" for number in range(12)]
    own, foreign = WorkerChannel(address, 5.0), WorkerChannel(f"kserve://{address}/encoder", 5.0)
    answers = []
    for channel in (own, foreign):
        await channel.start()
        answers.append(await EncoderClient(channel, max_texts=5).embed(texts, role=Role.QUERY))
        await channel.stop()
    assert (answers[0].vectors * answers[1].vectors).sum(axis=1).min() > 0.9999
    assert answers[1].model == "encoder@1"


@profiler
async def test_a_model_that_is_no_encoder_is_refused(address: str) -> None:
    missing = WorkerChannel(f"kserve://{address}/nothing", 5.0)
    await missing.start()
    with pytest.raises(NotFound, match="encoder"):
        await EncoderClient(missing).embed(["x"])
    await missing.stop()
    with pytest.raises(ConfigurationError, match="no model"):
        WorkerChannel(f"kserve://{address}", 5.0)


_GOOD = {"model_name": "encoder", "raw_input_contents": [packed_texts(["x", "y"])]}


@profiler
@pytest.mark.parametrize(
    ("changed", "shape", "datatype", "code"),
    [
        ({"raw_input_contents": [b"\x05\x00\x00\x00ab"]}, [1], "BYTES", "INVALID_ARGUMENT"),
        ({"raw_input_contents": [b"\x01\x00\x00\x00\xff"]}, [1], "BYTES", "INVALID_ARGUMENT"),
        ({}, [3], "BYTES", "INVALID_ARGUMENT"),
        ({}, [2], "FP32", "INVALID_ARGUMENT"),
        ({"raw_input_contents": [packed_texts(["x"] * 6)]}, [6], "BYTES", "INVALID_ARGUMENT"),
        ({"model_version": "17"}, [2], "BYTES", "NOT_FOUND"),
        ({}, [2], "BYTES", "OK"),
    ],
)
async def test_each_wrong_request_has_its_status(
    address: str, changed: dict[str, object], shape: list[int], datatype: str, code: str
) -> None:
    request = wire.ModelInferRequest(**(_GOOD | changed))  # type: ignore[arg-type]
    request.inputs.add(name="text", datatype=datatype, shape=shape)
    async with grpc.aio.insecure_channel(address) as raw:
        call = GRPCInferenceServiceStub(raw).ModelInfer(request)
        assert (await call.code()).name == code
        if code == "OK":
            vectors = np.frombuffer((await call).raw_output_contents[0], np.float32).reshape(2, 384)
            assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
