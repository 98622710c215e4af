"""A customer's state as bytes: one version byte, then MessagePack; vectors packed, with dtype and shape."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from rapport.ops.errors import StateConflict
from rapport.vectors.packing import pack, unpack
from services.profiler.domain.background import Vector
from services.profiler.domain.customer import Customer

# Raise it when old bytes cannot be read as the new state any more, and read both. New fields with defaults: no raise.
_VERSION = b"\x01"


def _packed(vector: Any) -> bytes:
    """msgspec asks for the types that it does not know: vectors, of all that a customer is made of."""
    # Needs are float16 by themselves. The long-run mean moves in steps that float16 would swallow.
    fits = np.array_equal(vector.astype(np.float16).astype(np.float32), vector)
    return pack(vector, np.float16 if fits else np.float32)


def _unpacked(_: type, packed: bytes) -> Vector:
    return unpack(packed)


class CustomerCodec:
    """Writes and reads customers. Not for several threads at once."""

    def __init__(self) -> None:
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_packed)
        self._decoder = msgspec.msgpack.Decoder(Customer, dec_hook=_unpacked)

    def encode(self, customer: Customer) -> bytes:
        return _VERSION + self._encoder.encode(customer)

    def decode(self, stored: bytes) -> Customer:
        """Raises `StateConflict` for bytes that this version did not write."""
        if stored[:1] != _VERSION:
            raise StateConflict(
                f"customer state of version {stored[:1].hex()}", fix="run the profiler that wrote it, or a newer one"
            )
        try:
            return self._decoder.decode(memoryview(stored)[1:])
        except msgspec.MsgspecError as error:
            raise StateConflict(f"customer state cannot be read: {error}") from error
