"""The ops page of a process: /health/live, /health/ready, /metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import make_asgi_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from rapport.ops.http_server import HttpServer
from rapport.ops.parts import Health
from rapport.ops.settings import OpsSettings

Report = Callable[[], Mapping[str, Health]]


def ops_server(settings: OpsSettings, report: Report) -> HttpServer:
    """Serves what `report` says of each part, by name. It is asked at every request and must not block."""
    return HttpServer("ops", ops_app(report), settings.host, settings.port, setting="RAPPORT_OPS__PORT", drain_s=1)


def ops_app(report: Report) -> Starlette:
    """200 when every part is live (or live and ready), else 503; the body names each part's state and detail."""

    async def live(_: Request) -> JSONResponse:
        return _answer(report(), lambda health: health.live)

    async def ready(_: Request) -> JSONResponse:
        return _answer(report(), lambda health: health.live and health.ready)

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Mount("/metrics", make_asgi_app()),
        ]
    )


def _answer(parts: Mapping[str, Health], good: Callable[[Health], bool]) -> JSONResponse:
    all_good = all(good(health) for health in parts.values())
    body = {
        "status": "ok" if all_good else "failing",
        "parts": {
            name: {"live": health.live, "ready": health.ready, "detail": health.detail}
            for name, health in parts.items()
        },
    }
    return JSONResponse(body, status_code=200 if all_good else 503)
