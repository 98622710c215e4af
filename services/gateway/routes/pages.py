"""The console's pages. They hold nothing secret: each asks for a key, and gets what it shows from the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

_FOLDER = Path(__file__).parents[1] / "page"
_PAGES = {"/": "status.html", "/inbox": "inbox.html", "/experiments": "experiments.html"}


def mount(app: FastAPI) -> None:
    """Serves each page under its path, and what they share below `/page`."""
    for path, file in _PAGES.items():
        app.add_api_route(path, _page(_FOLDER / file), include_in_schema=False, response_class=FileResponse)
    app.mount("/page", StaticFiles(directory=_FOLDER))


def _page(file: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(file)

    return page
