"""A server that speaks OpenAI's chat API over real HTTP and does what a test tells it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from tests.unit.serving.waiting import until


class OpenAIServer:
    """Says `words`, one a chunk, and notes every body. `status`: refuses instead. `hold`: waits before each word."""

    def __init__(self) -> None:
        self.words, self.finish = ["a ", "pair ", "of ", "boots"], "stop"
        self.status, self.names = 200, ["shop"]
        self.hold = asyncio.Event()
        self.hold.set()
        self.bodies: list[dict[str, Any]] = []
        self.gone = 0
        app = FastAPI()
        app.get("/v1/models")(self._models)
        app.post("/v1/chat/completions")(self._chat)
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
        self.url = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[OpenAIServer]:
        serving = asyncio.create_task(self._server.serve())
        await until(lambda: self._server.started)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}/v1"
        try:
            yield self
        finally:
            self.hold.set()
            self._server.should_exit = True
            await serving

    async def _models(self) -> Response:
        models = [{"id": name, "object": "model", "created": 1, "owned_by": "test"} for name in self.names]
        return JSONResponse({"object": "list", "data": models}, status_code=500 if not self.names else 200)

    async def _chat(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.bodies.append(body)
        if self.status != 200:
            return JSONResponse({"error": {"message": "no, because", "type": "x"}}, status_code=self.status)
        if not body.get("stream"):
            message = {"role": "assistant", "content": "a"}
            return JSONResponse(
                self._chunk() | {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
            )
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        try:
            for word in self.words:
                await self.hold.wait()
                yield self._line(choices=[{"index": 0, "delta": {"content": word}, "finish_reason": None}])
            if self.finish:
                yield self._line(choices=[{"index": 0, "delta": {}, "finish_reason": self.finish}])
            usage = {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
            yield self._line(choices=[], usage=usage | {"prompt_tokens_details": {"cached_tokens": 5}})
            yield "data: [DONE]\n\n"
        except asyncio.CancelledError:
            self.gone += 1
            raise

    def _line(self, **more: Any) -> str:
        return f"data: {json.dumps(self._chunk() | {'object': 'chat.completion.chunk', **more})}\n\n"

    def _chunk(self) -> dict[str, Any]:
        return {"id": "1", "object": "chat.completion", "created": 1, "model": "shop"}
