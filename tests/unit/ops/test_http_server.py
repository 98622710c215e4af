"""Whose a request is: the connection's, or the client's that a trusted proxy names."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from rapport.ops.http_server import HttpServer


async def whose(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.client.host if request.client else "")


@pytest.mark.parametrize(
    ("proxies", "said"), [(("127.0.0.0/8",), "203.0.113.9"), (("10.0.0.1",), "127.0.0.1"), ((), "127.0.0.1")]
)
async def test_a_proxy_is_believed_when_it_is_trusted(proxies: tuple[str, ...], said: str) -> None:
    app = Starlette(routes=[Route("/", whose)])
    server = HttpServer("test", app, "127.0.0.1", 0, setting="X", proxies=proxies)
    await server.start()
    try:
        async with httpx.AsyncClient(timeout=20.0) as client:
            answer = await client.get(server.address, headers={"X-Forwarded-For": "203.0.113.9"})
    finally:
        await server.stop()
    assert answer.text == said
