"""Who a browser speaks for: a token that the shop's server signed (JWT, RFC 7519, HMAC with SHA-256 only)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from rapport.ops.errors import PermissionRefused


def customer_of(token: str, secret: str, now: datetime) -> str:
    """The token's `sub`. Raises `PermissionRefused` if it is not signed with `secret` or has run out (`exp`, in s)."""
    head, _, signature = token.rpartition(".")
    expected = hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest()
    if not secret or not hmac.compare_digest(expected, _decoded(signature)):
        raise _refused("is not signed with this gateway's secret")
    header, _, payload = head.partition(".")
    # The algorithm is ours to choose, never the token's: "none" and foreign keys end here.
    if _object(header).get("alg") != "HS256":
        raise _refused("must be signed with HS256")
    claims = _object(payload)
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or expires <= now.timestamp():
        raise _refused("has run out, or has no exp")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject.encode()) > 256:
        raise _refused("has no sub")
    return subject


def _object(part: str) -> dict[str, Any]:
    try:
        read = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        read = None
    return read if isinstance(read, dict) else {}


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _refused(why: str) -> PermissionRefused:
    return PermissionRefused(f"the customer token {why}", field="X-Customer-Token")
