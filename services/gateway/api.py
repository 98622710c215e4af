"""The HTTP application: routes joined, errors as JSON that names the field and the fix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse

from rapport.ops.errors import RapportError, outward
from rapport.ops.health import ops_app
from rapport.ops.parts import Health
from rapport.ops.tracing import span, traceparent_of
from services.gateway.domain.desk import Desk
from services.gateway.domain.keys import Keys
from services.gateway.ports import Live, Peers, Products, Publisher
from services.gateway.routes import collect, content, inbox, metarank, rasa, serve, talk
from services.gateway.settings import KeySettings

_PAGE = Path(__file__).parent / "page" / "status.html"
_EXPERIMENTS = Path(__file__).parent / "page" / "experiments.html"


def application(
    publisher: Publisher,
    peers: Peers,
    products: Products,
    live: Live,
    keys: Keys,
    *,
    desk: Desk,
    settings: KeySettings,
    tenant: str,
    report: Callable[[], Mapping[str, Health]],
) -> FastAPI:
    """Everything the gateway answers. `report` says how each part of the process is."""
    app = FastAPI(title="Rapport", version="1", description="Customer profiles, recommendations, chat and copy.")
    app.add_middleware(
        CORSMiddleware, allow_origins=settings.cors_origins.split(","), allow_methods=["*"], allow_headers=["*"]
    )
    app.add_exception_handler(RapportError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_arguments)
    app.middleware("http")(_traced)
    app.include_router(collect.router(publisher, keys, tenant=tenant, max_bytes=settings.max_body_bytes))
    app.include_router(serve.router(peers, products, keys, tenant=tenant))
    app.include_router(metarank.router(peers, keys, tenant=tenant))
    app.include_router(content.router(peers, publisher, keys, tenant=tenant))
    secret = settings.customer_token_secret.get_secret_value()
    app.include_router(talk.router(peers, live, publisher, keys, tenant=tenant, token_secret=secret))
    app.include_router(rasa.router(peers, keys, tenant=tenant, token_secret=secret))
    app.include_router(inbox.router(desk, publisher, keys, tenant=tenant))

    @app.get("/", include_in_schema=False)
    async def status_page() -> HTMLResponse:
        return HTMLResponse(_PAGE.read_text(encoding="utf-8"))

    @app.get("/experiments", include_in_schema=False)
    async def experiments_page() -> HTMLResponse:
        return HTMLResponse(_EXPERIMENTS.read_text(encoding="utf-8"))

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


async def _traced(request: Request, call_next: Callable[[Request], object]) -> object:
    with span(f"{request.method} {request.url.path}", parent=traceparent_of(dict(request.headers))):
        return await call_next(request)  # type: ignore[misc]
