"""What another server's refusals mean to our callers."""

from __future__ import annotations

from openai import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    OpenAIError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)

from rapport.ops.errors import (
    DeadlineError,
    InvalidRequest,
    NotFound,
    OverloadedError,
    RapportError,
    UnavailableError,
)

# Characters of a foreign message: enough to see the reason, too few to fill a log.
_MESSAGE = 300


def told(error: OpenAIError, url: str, adapter: str) -> RapportError:
    """Our error for the endpoint's."""
    message = f"{url}: {str(error)[:_MESSAGE]}"
    if isinstance(error, APITimeoutError):
        return DeadlineError(message)
    if isinstance(error, RateLimitError):
        return OverloadedError(message, fix="try again later")
    if isinstance(error, BadRequestError | UnprocessableEntityError):
        return InvalidRequest(message)
    if isinstance(error, NotFoundError) and adapter:
        return NotFound(message, field="adapter")
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return UnavailableError(message, fix="set RAPPORT_MODELS__GENERATOR_KEY")
    return UnavailableError(message)
