"""Another server as a `TextEngine`: vLLM, llama.cpp, `transformers serve`, anything that speaks OpenAI's chat API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator
from typing import Any

import structlog
from openai import APIStatusError, AsyncOpenAI, OpenAIError

from rapport.models.ports import ModelId
from rapport.ops.errors import (
    DeadlineError,
    InvalidRequest,
    ModelError,
    OverloadedError,
    RapportError,
    UnavailableError,
)
from rapport.ops.parts import Health
from rapport.serving.deadline import remaining
from rapport.serving.figures import Figures
from rapport.serving.generating.engine import Finish, TextPiece, TextRequest
from rapport.serving.generating.remote_errors import told
from rapport.serving.generating.remote_request import body
from rapport.serving.generating.stop_strings import StopStrings

log = structlog.stdlib.get_logger(__name__)

# Seconds between looks at the endpoint, and for one look.
_LOOK_EVERY_S, _LOOK_WITHIN_S = 5.0, 10.0
# Seconds without a deadline of the caller's own.
_WITHIN_S = 120.0


class RemoteEngine:
    """Passes texts on. Ready while the endpoint lists the model, or has written with it; what the endpoint refuses
    keeps its meaning.
    """

    def __init__(
        self, name: str, url: str, *, model: str | None, key: str, max_queue: int, default_max_tokens: int
    ) -> None:
        """`model`: its name there; None takes the first that the endpoint lists. Opens nothing yet."""
        self._url, self._wanted = url.rstrip("/"), model
        # Retrying is the caller's decision: only he knows what time he has.
        self._client = AsyncOpenAI(base_url=self._url, api_key=key or "none", max_retries=0)
        self._max_queue, self._default_max_tokens = max_queue, default_max_tokens
        self._figures = Figures(name)
        self._pending = 0
        self._found: ModelId | None = None
        self._detail = f"looking for {model or 'a model'} at {self._url}"
        self._looking: asyncio.Task[None] | None = None

    @property
    def model(self) -> ModelId:
        return self._found or ModelId(self._wanted or "unknown", "remote")

    def start(self) -> None:
        self._looking = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking
            await self._client.close()

    def health(self) -> Health:
        """A missing endpoint leaves the worker live: a restart would not find it either."""
        if self._found is None:
            return Health(ready=False, detail=self._detail)
        return Health(detail=f"{self._found} at {self._url}")

    async def generate(self, request: TextRequest) -> AsyncGenerator[TextPiece, None]:
        """See `TextEngine.generate`."""
        request.check()
        if self._found is None:
            raise UnavailableError(self._detail)
        if self._pending >= self._max_queue:
            self._figures.failed("rejected")
            raise OverloadedError(f"{self._pending} texts are waiting already", fix="try again later")
        self._count(+1)
        try:
            async with contextlib.aclosing(self._stream(request, self._found.id)) as pieces:
                async for piece in pieces:
                    yield piece
                    if piece.finish is not None:
                        self._figures.answered(0.0, piece.input_tokens, piece.output_tokens)
                        self._figures.first_token(piece.first_token_s)
        except (asyncio.CancelledError, GeneratorExit, DeadlineError):
            self._figures.failed("canceled")
            raise
        except OverloadedError:
            self._figures.failed("rejected")
            raise
        except InvalidRequest:
            raise
        except RapportError as error:
            if isinstance(error, UnavailableError):
                # No more requests should come until the next look finds it well.
                self._found, self._detail = None, str(error)
            self._figures.failed("backend")
            raise
        finally:
            self._count(-1)

    async def _stream(self, request: TextRequest, model: str) -> AsyncGenerator[TextPiece, None]:
        began = time.monotonic()
        left = remaining()
        stops, text = StopStrings(request.stop), ""
        first_s, tokens, reason, usage = 0.0, 0, None, None
        try:
            chunks: Any = await self._client.chat.completions.create(
                **body(request, model, self._default_max_tokens), timeout=_WITHIN_S if left is None else max(left, 0.01)
            )
            async with chunks:
                async for chunk in chunks:
                    usage = chunk.usage or usage
                    if not chunk.choices:
                        continue
                    reason = chunk.choices[0].finish_reason or reason
                    new = chunk.choices[0].delta.content or ""
                    if not new:
                        continue
                    tokens += 1
                    first_s = first_s or time.monotonic() - began
                    text += (shown := stops.feed(new))
                    if shown:
                        yield TextPiece(shown)
                    if stops.met:
                        break
        except OpenAIError as error:
            raise told(error, self._url, request.adapter) from error
        if reason is None and not stops.met:
            raise UnavailableError(f"{self._url}: the text broke off")
        finish: Finish = "length" if reason == "length" and not stops.met else "stop"
        text += (rest := stops.rest())
        if request.constraint and request.constraint.kind == "json_schema" and finish == "stop" and not stops.met:
            _check_json(text, self._url)
        seconds = time.monotonic() - began
        yield TextPiece(
            rest,
            finish,
            usage.prompt_tokens if usage else 0,
            usage.completion_tokens if usage else tokens,
            compute_s=seconds,
            first_token_s=first_s,
            reused_tokens=_reused(usage),
        )

    def _count(self, change: int) -> None:
        self._pending += change
        self._figures.pending(self._pending)

    async def _keep_looking(self) -> None:
        while True:
            before = self._found
            try:
                async with asyncio.timeout(_LOOK_WITHIN_S):
                    await self._look()
            except (OpenAIError, TimeoutError) as error:
                reason = f"{type(error).__name__}: {str(error)[:300]}"
                wanted = self._wanted or "a model"
                self._found, self._detail = None, f"looked for {wanted} at {self._url}: {reason}"
            if (before is None) != (self._found is None):
                log.info("endpoint", ready=self._found is not None, detail=self.health().detail)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _look(self) -> None:
        try:
            names = [model.id async for model in await self._client.models.list()]
        except APIStatusError:
            # It answers, if not this question; `transformers serve` does so for a model from a folder.
            names = []
        if self._wanted is None:
            self._found = ModelId(names[0], "remote") if names else None
            self._detail = f"{self._url} lists no model (set RAPPORT_MODELS__GENERATOR)"
        elif self._wanted in names or self._found is not None:
            self._found = ModelId(self._wanted, "remote")
        else:
            hello: Any = [{"role": "user", "content": "hello"}]
            await self._client.chat.completions.create(model=self._wanted, messages=hello, max_tokens=1)
            self._found = ModelId(self._wanted, "remote")


def _check_json(text: str, url: str) -> None:
    """Some servers take a schema and do not keep it."""
    try:
        json.loads(text)
    except ValueError as error:
        raise ModelError(f"{url} did not keep the JSON schema", fix="use a server that supports it") from error


def _reused(usage: Any) -> int:
    details = getattr(usage, "prompt_tokens_details", None)
    return int(getattr(details, "cached_tokens", None) or 0)
