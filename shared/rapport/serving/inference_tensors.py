"""Tensors of the Open Inference Protocol, version 2: texts in, arrays out, and back."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rapport.contracts.openinference.v2 import inference_service_pb2 as wire
from rapport.ops.errors import InvalidRequest, UnavailableError

_LENGTH = struct.Struct("<I")
_DTYPES: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "FP16": np.dtype("<f2"), "FP64": np.dtype("<f8")}
TEXTS = "BYTES"


def texts_of(request: wire.ModelInferRequest) -> list[str]:
    """The texts of the only input, of shape [texts] or [texts, 1]. Raises `InvalidRequest` naming the field."""
    if len(request.inputs) != 1:
        raise InvalidRequest(f"{len(request.inputs)} inputs", field="inputs", fix="give one, of texts")
    given = request.inputs[0]
    if given.datatype != TEXTS:
        raise InvalidRequest(f"{given.datatype[:20]!r}", field="inputs[0].datatype", fix=TEXTS)
    if request.raw_input_contents:
        elements = _elements(request.raw_input_contents[0])
    else:
        elements = list(given.contents.bytes_contents)
    if list(given.shape) not in ([len(elements)], [len(elements), 1]):
        raise InvalidRequest(
            f"{len(elements)} texts, but shape {list(given.shape)[:8]}", field="inputs[0].shape", fix="[texts]"
        )
    try:
        return [element.decode() for element in elements]
    except UnicodeDecodeError as error:
        raise InvalidRequest("a text is not UTF-8", field="inputs[0]") from error


def packed_texts(texts: Sequence[str]) -> bytes:
    """Each text's UTF-8 after its length."""
    encoded = [text.encode() for text in texts]
    return b"".join(part for text in encoded for part in (_LENGTH.pack(len(text)), text))


def put_output(response: wire.ModelInferResponse, name: str, array: npt.NDArray[np.float32]) -> None:
    """Adds `array` as FP32."""
    response.outputs.add(name=name, datatype="FP32", shape=array.shape)
    response.raw_output_contents.append(np.ascontiguousarray(array, dtype="<f4").tobytes())


def put_texts(response: wire.ModelInferResponse, name: str, texts: Sequence[str]) -> None:
    """Adds `texts` as BYTES."""
    response.outputs.add(name=name, datatype=TEXTS, shape=[len(texts)])
    response.raw_output_contents.append(packed_texts(texts))


def floats_of(response: wire.ModelInferResponse, name: str) -> npt.NDArray[np.float32]:
    """The output called `name`, in its shape. Raises `UnavailableError` when a server answers something else."""
    for index, output in enumerate(response.outputs):
        if output.name != name or output.datatype not in _DTYPES:
            continue
        if index < len(response.raw_output_contents):
            flat: npt.NDArray[Any] = np.frombuffer(response.raw_output_contents[index], dtype=_DTYPES[output.datatype])
        else:
            flat = np.array(output.contents.fp32_contents or output.contents.fp64_contents)
        if flat.size == math.prod(output.shape):
            return np.asarray(flat.reshape(tuple(output.shape)), dtype=np.float32)
    raise UnavailableError(f"the model server answered without a tensor of floats called {name}")


def _elements(raw: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(raw):
        start = at + _LENGTH.size
        if start > len(raw):
            raise InvalidRequest("cut off within a length", field="raw_input_contents[0]")
        (length,) = _LENGTH.unpack_from(raw, at)
        at = start + length
        if at > len(raw):
            raise InvalidRequest("cut off within a text", field="raw_input_contents[0]")
        found.append(raw[start:at])
    return found
