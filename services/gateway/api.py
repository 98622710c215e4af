"""The HTTP application: routes joined, callers counted, requests measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from fastapi import Depends, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response
from starlette.middleware.base import RequestResponseEndpoint

from rapport.bus.ports import Publisher
from rapport.ops.health import ops_app
from rapport.ops.metrics import histogram
from rapport.ops.parts import Health
from rapport.ops.tracing import span, traceparent_of
from services.gateway.domain.callers import Callers
from services.gateway.domain.desk import Desk
from services.gateway.domain.keys import Keys
from services.gateway.domain.rate import Rate
from services.gateway.ports import Live, Peers, Products
from services.gateway.routes import (
    catalogue,
    collect,
    content,
    experiments,
    inbox,
    metarank,
    pages,
    rasa,
    refusals,
    serve,
    talk,
)
from services.gateway.routes import live as live_view
from services.gateway.routes.access import counted
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
    callers = Callers(keys, Rate(settings.key_requests_per_s), Rate(settings.address_requests_per_s))
    app = FastAPI(
        title="Rapport",
        version="1",
        description="Customer profiles, recommendations, chat and copy.",
        max_body_size=settings.max_body_bytes,
        dependencies=[Depends(counted(callers))],
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Retry-After"],
    )
    refusals.mount(app)
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
    # Liveness and readiness where load balancers look for them; metrics, and why a part is not ready, stay on the ops
    # port.
    health = ops_app(lambda: {name: replace(health, detail="") for name, health in report().items()})
    for route in health.routes[:2]:
        app.router.routes.append(route)
    return app


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
