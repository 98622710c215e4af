"""What holds for every path: keys, limits, errors, measurements; and the pages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import generate_latest

from tests.contract.gateway.fakes import PRIVATE, WRITE, bearer


async def _in_pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 1000


async def test_a_large_body_is_413_on_every_path_before_it_is_in_memory(http: httpx.AsyncClient) -> None:
    schema = (await http.get("/openapi.json")).json()
    posts = [path for path, methods in schema["paths"].items() if "post" in methods]
    assert len(posts) > 15
    for path in posts:
        told = await http.post(path, content=b"x" * 3000, headers=bearer(WRITE))
        untold = await http.post(path, content=_in_pieces(1000), headers=bearer(PRIVATE))
        assert (told.status_code, untold.status_code) == (413, 413), path


async def test_no_such_path_is_told_as_every_other_error(http: httpx.AsyncClient) -> None:
    missing, method = await http.get("/v1/nothing"), await http.get("/v1/track")
    assert (missing.status_code, missing.json()) == (404, {"error": "Not Found"})
    assert (method.status_code, method.json()) == (405, {"error": "Method Not Allowed"})


async def test_keys_guard_every_path(http: httpx.AsyncClient) -> None:
    schema = (await http.get("/openapi.json")).json()
    for path, methods in schema["paths"].items():
        for method in methods:
            url = path.replace("{customer_id}", "u-1").replace("{product_id}", "p-1")
            assert (await http.request(method, url)).status_code == 403, path
            assert (await http.request(method, url, headers=bearer("wrong-key-9"))).status_code == 403, path
    private_only = await http.get("/v1/profiles/u-1", headers=bearer(WRITE))
    assert (private_only.status_code, "needs a private key" in private_only.text) == (403, True)


async def test_requests_are_measured_by_their_route_and_never_by_whose_they_are(http: httpx.AsyncClient) -> None:
    await http.get("/v1/profiles/u-1", headers=bearer(PRIVATE))
    await http.get("/v1/profiles/somebody-else", headers=bearer(PRIVATE))
    said = generate_latest().decode()
    for status in (200, 404):
        assert f'_count{{method="GET",route="/v1/profiles/{{customer_id}}",status="{status}"}}' in said
    assert "somebody-else" not in said


async def test_wrong_arguments_name_the_field(http: httpx.AsyncClient) -> None:
    limit = await http.get("/v1/recommendations?limit=0", headers=bearer(PRIVATE))
    rank = await http.post("/v1/rank", json={"customer_id": "u", "product_ids": []}, headers=bearer(PRIVATE))
    brief = await http.post("/v1/content", json={"request_id": "q", "kind": "poem"}, headers=bearer(PRIVATE))
    assert [(a.status_code, a.json()["field"]) for a in (limit, rank, brief)] == [
        (422, "limit"),
        (422, "product_ids"),
        (422, "kind"),
    ]


@pytest.mark.parametrize(("path", "heading"), [("/", "Passing now"), ("/inbox", "Inbox"), ("/experiments", "Copy")])
async def test_pages_need_no_key_and_bring_all_that_they_load(http: httpx.AsyncClient, path: str, heading: str) -> None:
    page = await http.get(path)
    assert heading in page.text
    loaded = re.findall(r'(?:src|href)="(/page/[^"]+)"', page.text)
    assert len(loaded) == 2
    for each in loaded:
        assert (await http.get(each)).status_code == 200, each


async def test_nothing_beside_the_pages_can_be_read(http: httpx.AsyncClient) -> None:
    for path in ("/page/%2e%2e/api.py", "/page/..%2fapi.py", "/page/"):
        assert (await http.get(path)).status_code == 404


async def test_health_needs_no_key_and_names_no_address(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health/live")).status_code == 200
    ready = await http.get("/health/ready")
    assert ready.json()["status"] == "ok"
    assert "10.1.2.3" not in ready.text
