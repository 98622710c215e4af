"""Names of things in Redis.

    <tenant>:<kind>:<id>                                 a document
    <tenant>:emb:<kind>:<encoder>@<revision>:<id>        an embedding, packed float16
    <tenant>:emb-alias:<kind>                            the space that readers use: <encoder>@<revision>
    <tenant>:emb-spaces:<kind>                           set of the spaces that hold something
    <tenant>:emb-index:<kind>:<encoder>@<revision>       vector set

An id comes last and stands as it is, so it may contain anything. What comes before it never contains a colon: kinds and
spaces are refused otherwise, a tenant's colons are escaped. So every key reads back in one way.

No hash tags: one request's keys lie in many slots of a cluster, and are read by one pipeline, which takes one round
trip a node, at once. Tagging by tenant would put a whole shop on one node.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from rapport.ops.errors import InvalidRequest

_KIND = re.compile(r"(?!emb(-|$))[a-z][a-z0-9_-]{0,63}")
_NAME = re.compile(r"[^:@\s]{1,200}")
# Longest id of any event (events.base.Id); longer keys would let one message fill the cache with names.
MAX_ID_BYTES = 256


@dataclass(frozen=True, slots=True)
class Space:
    """The vectors of one encoder at one revision. Vectors of different spaces must never be compared."""

    encoder: str
    """e.g. intfloat/multilingual-e5-small"""
    revision: str

    def __post_init__(self) -> None:
        for field, value in (("encoder", self.encoder), ("revision", self.revision)):
            if not _NAME.fullmatch(value):
                raise InvalidRequest(f"{value!r} is empty, too long, or contains : @ or white space", field=field)

    def __str__(self) -> str:
        return f"{self.encoder}@{self.revision}"

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        encoder, _, revision = (text.decode() if isinstance(text, bytes) else text).partition("@")
        return cls(encoder, revision)


def document(tenant: str, kind: str, id_: str) -> str:
    return document_prefix(tenant, kind) + _id(id_)


def document_prefix(tenant: str, kind: str) -> str:
    return f"{_tenant(tenant)}:{_kind(kind)}:"


def embedding(tenant: str, kind: str, space: Space, id_: str) -> str:
    return embedding_prefix(tenant, kind, space) + _id(id_)


def embedding_prefix(tenant: str, kind: str, space: Space) -> str:
    return f"{_tenant(tenant)}:emb:{_kind(kind)}:{space}:"


def alias(tenant: str, kind: str) -> str:
    return f"{_tenant(tenant)}:emb-alias:{_kind(kind)}"


def spaces(tenant: str, kind: str) -> str:
    return f"{_tenant(tenant)}:emb-spaces:{_kind(kind)}"


def index(tenant: str, kind: str, space: Space) -> str:
    return f"{_tenant(tenant)}:emb-index:{_kind(kind)}:{space}"


def _tenant(tenant: str) -> str:
    if not tenant or len(tenant.encode()) > MAX_ID_BYTES:
        raise InvalidRequest("empty or longer than 256 bytes", field="tenant")
    return tenant.replace("%", "%25").replace(":", "%3A")


def _kind(kind: str) -> str:
    if not _KIND.fullmatch(kind):
        raise InvalidRequest(f"{kind!r}: lower case letters, digits, _ and -, not beginning with emb-", field="kind")
    return kind


def _id(id_: str) -> str:
    if not id_ or len(id_.encode()) > MAX_ID_BYTES:
        raise InvalidRequest("empty or longer than 256 bytes", field="id")
    return id_
