"""The HTTP application: routes joined, errors as JSON that names the field and the fix."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from rapport.ops.errors import RapportError, outward
from rapport.ops.health import ops_app
from rapport.ops.metrics import histogram
from rapport.ops.parts import Health
from rapport.ops.tracing import span, traceparent_of
from services.gateway.domain.desk import Desk
from services.gateway.domain.keys import Keys
from services.gateway.ports import Live, Peers, Products, Publisher
from services.gateway.routes import catalogue, collect, content, experiments, inbox, metarank, pages, rasa, serve, talk
from services.gateway.routes import live as live_view
from services.gateway.settings import GatewaySection


def application(
    publisher: Publisher,
    peers: Peers,
    products: Products,
    live: Live,
    keys: Keys,
    *,
    desk: Desk,
    settings: GatewaySection,
    tenant: str,
    report: Callable[[], Mapping[str, Health]],
) -> FastAPI:
    """Everything the gateway answers. `report` says how each part of the process is."""
    app = FastAPI(
        title="Rapport",
        version="1",
        description="Customer profiles, recommendations, chat and copy.",
        max_body_size=settings.max_body_bytes,
    )
    app.add_middleware(
        CORSMiddleware, allow_origins=settings.cors_origins.split(","), allow_methods=["*"], allow_headers=["*"]
    )
    app.add_exception_handler(RapportError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_arguments)
    app.add_exception_handler(HTTPException, _refuse_path)
    app.middleware("http")(_watched)
    app.include_router(collect.router(publisher, keys, tenant=tenant, max_bytes=settings.max_body_bytes))
    app.include_router(serve.router(peers, keys, tenant=tenant))
    app.include_router(catalogue.router(products, keys, tenant=tenant))
    app.include_router(metarank.router(peers, keys, tenant=tenant))
    app.include_router(content.router(peers, keys, tenant=tenant))
    app.include_router(experiments.router(peers, publisher, keys, tenant=tenant))
    secret = settings.customer_token_secret.get_secret_value()
    app.include_router(talk.router(peers, publisher, keys, tenant=tenant, token_secret=secret))
    app.include_router(live_view.router(live, keys))
    app.include_router(rasa.router(peers, keys, tenant=tenant, token_secret=secret))
    app.include_router(inbox.router(desk, publisher, keys, tenant=tenant))

    pages.mount(app)
    # Liveness and readiness where load balancers look for them; metrics stay on the ops port.
    health = ops_app(report)
    for route in health.routes[:2]:
        app.router.routes.append(route)
    return app


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RapportError):
        raise error
    body = {"error": error.message, "field": error.field, "fix": error.fix}
    return JSONResponse({name: text for name, text in body.items() if text}, status_code=outward(error).http)


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


async def _watched(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """One span and one measurement for each request, by the route's pattern: paths hold customers' ids."""
    seconds = histogram(
        "http_request_seconds", "From arrival to the beginning of the answer", ("method", "route", "status")
    )
    began = time.perf_counter()
    with span(request.method, parent=traceparent_of(dict(request.headers))) as opened:
        answer = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "none")
        opened.update_name(f"{request.method} {route}")
    seconds.labels(request.method, route, str(answer.status_code)).observe(time.perf_counter() - began)
    return answer
