"""A customer as bytes: a version byte, then MessagePack in an LZ4 block; vectors packed, with dtype and shape."""

from __future__ import annotations

from typing import Any, TypeVar

import cramjam
import msgspec
import numpy as np

from rapport.ops.errors import StateConflict
from rapport.vectors.packing import pack, unpack
from services.profiler.domain.background import Vector
from services.profiler.domain.customer import Customer
from services.profiler.domain.trail import Backing, Step
from services.profiler.ports import Edition

T = TypeVar("T")
# Raise it when old bytes cannot be read as the new state any more, and read both. New fields with defaults: no raise.
_VERSION = b"\x02"
_BACKING_ENCODER = msgspec.msgpack.Encoder()
# A list of steps is what copies were that an older profiler wrote.
_BACKING_DECODER: msgspec.msgpack.Decoder[Backing | list[Step]] = msgspec.msgpack.Decoder(Backing | list[Step])


def _packed(vector: Any) -> bytes:
    """msgspec asks for the types that it does not know: vectors, of all that a customer is made of."""
    # Needs are float16 by themselves. The long-run mean moves in steps that float16 would swallow.
    fits = (vector.astype(np.float16) == vector).all()
    return pack(vector, np.float16 if fits else np.float32)


def _unpacked(_: type, packed: bytes) -> Vector:
    return unpack(packed)


class CustomerCodec:
    """Writes and reads customers. Not for several threads at once."""

    def __init__(self) -> None:
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_packed)
        self._decoder = msgspec.msgpack.Decoder(Customer, dec_hook=_unpacked)

    def encode(self, customer: Customer) -> bytes:
        # Names and the trail shrink to a third, in 5 µs; with them a customer takes 40 % less everywhere.
        return _VERSION + bytes(cramjam.lz4.compress_block(self._encoder.encode(customer)))

    def decode(self, stored: bytes) -> Customer:
        """Raises `StateConflict` for bytes that this version did not write."""
        return _read(self._decoder, stored)

    def edition(self, stored: bytes) -> Edition:
        """Which serving copy goes with it: a tenth of the work of `decode`. Raises likewise."""
        head = _read(_HEAD, stored)
        return Edition(head.revision, head.spectrum.encoder)


def _read(decoder: msgspec.msgpack.Decoder[T], stored: bytes) -> T:
    if stored[:1] != _VERSION:
        raise StateConflict(
            f"customer state of version {stored[:1].hex()}", fix="run the profiler that wrote it, or a newer one"
        )
    try:
        return decoder.decode(bytes(cramjam.lz4.decompress_block(stored[1:])))
    except (msgspec.MsgspecError, cramjam.DecompressionError) as error:
        raise StateConflict(f"customer state cannot be read: {error}") from error


class _Spectrum(msgspec.Struct):
    encoder: str = ""


class _Head(msgspec.Struct):
    """The fields of a customer that say which edition the serving copy should be; the others are skipped."""

    revision: int = 0
    spectrum: _Spectrum = msgspec.field(default_factory=_Spectrum)


_HEAD = msgspec.msgpack.Decoder(_Head)


def pack_backing(backing: Backing) -> bytes:
    """What explains a profile, small."""
    return bytes(cramjam.lz4.compress_block(_BACKING_ENCODER.encode(backing)))


def unpack_backing(packed: bytes) -> Backing:
    """The other way round."""
    found = _BACKING_DECODER.decode(bytes(cramjam.lz4.decompress_block(packed)))
    return found if isinstance(found, Backing) else Backing(found)
