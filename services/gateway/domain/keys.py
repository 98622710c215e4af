"""API keys and what they may do."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from enum import StrEnum

from rapport.ops.errors import PermissionRefused


class Scope(StrEnum):
    """What a key may do."""

    WRITE = "write"
    """Send behaviour events."""
    PRIVATE = "private"
    """Everything."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that are known."""

    write: frozenset[str]
    private: frozenset[str]

    def check(self, authorization: str | None, wanted: Scope) -> None:
        """Raises `PermissionRefused` unless the header's key has the scope.

        The header is `Bearer KEY`, or `Basic` with the key as user name and no password, as Segment libraries send it.
        """
        if not self.allows(authorization, wanted):
            known = key_of(authorization) in self.write
            raise PermissionRefused(
                "this is a write key; the call needs a private key" if known else "missing or unknown API key",
                field="Authorization",
                fix="send 'Authorization: Bearer KEY', or the key as basic-auth user",
            )

    def allows(self, authorization: str | None, wanted: Scope) -> bool:
        """Whether the header's key has the scope."""
        key = key_of(authorization)
        allowed = self.private | self.write if wanted is Scope.WRITE else self.private
        # Compared in constant time, all of them: the time taken must not tell how much of a key was right.
        matches = [hmac.compare_digest(key.encode(), known.encode()) for known in sorted(allowed)]
        return any(matches)


def key_of(authorization: str | None) -> str:
    """The key that a header holds, known or not; empty without one."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
