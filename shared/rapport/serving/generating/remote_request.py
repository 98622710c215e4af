"""A request in OpenAI's words."""

from __future__ import annotations

import json
from typing import Any

from rapport.models.text_ports import Constraint
from rapport.ops.errors import InvalidRequest
from rapport.serving.generating.engine import TextRequest

# OpenAI's own limit. The others are looked for in what comes back, which costs tokens but changes nothing.
_STOPS = 4


def body(request: TextRequest, model: str, default_max_tokens: int) -> dict[str, Any]:
    """Arguments of `chat.completions.create`. What was not asked for is left out: not every server knows everything.

    Raises `InvalidRequest` for a JSON schema that is not JSON.
    """
    sampling = request.sampling
    asked: dict[str, Any] = {
        # vLLM and others serve an adapter under its own name, as if it were a model.
        "model": request.adapter or model,
        "messages": [{"role": role, "content": content} for role, content in request.turns],
        "max_tokens": request.max_tokens or default_max_tokens,
        "temperature": sampling.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    optional = {
        "top_p": sampling.top_p if sampling.top_p < 1 else None,
        "seed": sampling.seed,
        "frequency_penalty": sampling.frequency_penalty or None,
        "presence_penalty": sampling.presence_penalty or None,
        "stop": list(request.stop[:_STOPS]) or None,
    }
    asked |= {name: value for name, value in optional.items() if value is not None}
    extra: dict[str, Any] = {"top_k": sampling.top_k} if sampling.top_k else {}
    if request.constraint is not None:
        _constrain(asked, extra, request.constraint)
    return {**asked, "extra_body": extra} if extra else asked


def _constrain(asked: dict[str, Any], extra: dict[str, Any], constraint: Constraint) -> None:
    if constraint.kind == "regex":
        # OpenAI has no word for it; this is vLLM's.
        extra["structured_outputs"] = {"regex": constraint.rule}
        return
    try:
        schema = json.loads(constraint.rule)
    except ValueError as error:
        raise InvalidRequest(f"not JSON: {error}", field="json_schema") from error
    asked["response_format"] = {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    }
