"""Who may call: the key's scope as a dependency of a route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Header

from services.gateway.domain.keys import Keys, Scope


def needs(keys: Keys, scope: Scope) -> Callable[[str | None], None]:
    """A dependency that refuses callers whose key lacks `scope`."""

    def check(authorization: Annotated[str | None, Header()] = None) -> None:
        keys.check(authorization, scope)

    return check
