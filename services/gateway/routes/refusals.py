"""Errors as the clients see them: JSON that names the field and the fix, and nothing of what lies behind the edge."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rapport.ops.errors import DeadlineError, RapportError, RateLimited, RetryableError, outward
from services.gateway.ports import Json

log = structlog.stdlib.get_logger(__name__)
# A process that is started again answers after some seconds.
_RETRY_AFTER_S = 5


def mount(app: FastAPI) -> None:
    """Every error of `app` is told so."""
    app.add_exception_handler(RapportError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_arguments)
    app.add_exception_handler(HTTPException, _refuse_path)


def told(error: RapportError) -> Json:
    """What a client is told. Of a service that does not do its part only its name: addresses and reasons are logged."""
    if isinstance(error, RetryableError) and not isinstance(error, RateLimited):
        log.warning("a service did not answer", error=str(error), kind=type(error).__name__)
        who = error.field or "a service"
        said = f"{who} did not answer in time" if isinstance(error, DeadlineError) else f"{who} cannot answer now"
        body = {"error": said, "field": error.field, "fix": "try again in a few seconds"}
    else:
        body = {"error": error.message, "field": error.field, "fix": error.fix}
    return {name: text for name, text in body.items() if text}


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RapportError):
        raise error
    status = outward(error).http
    after = error.retry_after_s if isinstance(error, RateLimited) else _RETRY_AFTER_S
    return JSONResponse(told(error), status, headers={"Retry-After": str(after)} if status in {429, 503} else None)


async def _refuse_arguments(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or "body"
    return JSONResponse({"error": first["msg"], "field": field}, status_code=422)


async def _refuse_path(_: Request, error: Exception) -> JSONResponse:
    """No such path, or not with this method."""
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)
