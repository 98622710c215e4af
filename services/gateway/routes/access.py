"""Who may call: the key's scope as a dependency of a route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import Header, Request

from rapport.ops.errors import PermissionRefused, RateLimited
from rapport.ops.metrics import counter
from services.gateway.domain.callers import Callers
from services.gateway.domain.customer_token import customer_of
from services.gateway.domain.keys import Keys, Scope


def counted(callers: Callers) -> Callable[[Request, str | None], Awaitable[None]]:
    """A dependency that refuses who calls too often."""

    refused = counter("http_rate_limited", "Requests refused for their number", ("limit",))

    # Asynchronous though it waits for nothing: FastAPI sends others through a thread.
    async def count(request: Request, authorization: Annotated[str | None, Header()] = None) -> None:
        try:
            callers.count(authorization, request.client.host if request.client else "")
        except RateLimited as error:
            refused.labels(error.field).inc()
            raise

    return count


def needs(keys: Keys, scope: Scope) -> Callable[[str | None], Awaitable[None]]:
    """A dependency that refuses callers whose key lacks `scope`."""

    async def check(authorization: Annotated[str | None, Header()] = None) -> None:
        keys.check(authorization, scope)

    return check


def caller(
    keys: Keys, authorization: str | None, token: str | None, told: str | None, *, secret: str, now: datetime
) -> str | None:
    """The customer that a chat call speaks for; None: nobody who is signed in.

    A private key vouches for `told`. With a public key only a token that the shop's server signed says who it is, and
    `told` must not say otherwise. Raises `PermissionRefused`.
    """
    keys.check(authorization, Scope.WRITE)
    if keys.allows(authorization, Scope.PRIVATE) and token is None:
        return told
    customer = customer_of(token, secret, now) if token else None
    if told is not None and told != customer:
        raise PermissionRefused(
            "a public key does not vouch for customer_id", field="customer_id", fix="send X-Customer-Token"
        )
    return customer
