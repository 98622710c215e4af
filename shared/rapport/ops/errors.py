"""The one error tree, and the one place where errors become gRPC statuses, HTTP statuses and dead-letter kinds.

RapportError
├── RetryableError                 trying again later may succeed
│   ├── UnavailableError             a peer is down or still loading
│   ├── OverloadedError              a bounded queue is full
│   │   └── RateLimited                this caller asks too often
│   ├── DeadlineError                the caller's time ran out
│   └── EnrichmentError              a model or lookup that an effect needs gave nothing
└── PermanentError                 the same input fails again
    ├── SchemaViolation              the bytes are not the event that they claim to be
    ├── SizeViolation                too many bytes
    ├── InvalidRequest               an argument is wrong
    ├── NotFound                     what was named does not exist
    ├── PermissionRefused            a missing or wrong key or scope
    ├── StateConflict                the state does not allow it
    ├── ModelError                   weights that cannot be loaded or used
    ├── ConfigurationError           a setting is unknown, missing or malformed
    └── HandlerError                 a handler failed on a message that is well formed
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import grpc


class DeadLetterKind(StrEnum):
    """Why a message was set aside."""

    SCHEMA_VIOLATION = "schema_violation"
    SIZE_VIOLATION = "size_violation"
    HANDLER_ERROR = "handler_error"
    ENRICHMENT_FAILURE = "enrichment_failure"


class RapportError(Exception):
    """Root of the tree. `field` names what is wrong, `fix` says what to do, where either is known."""

    def __init__(self, message: str, *, field: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message, self.field, self.fix = message, field, fix

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        fix = f" ({self.fix})" if self.fix else ""
        return f"{where}{self.message}{fix}"


class RetryableError(RapportError):
    """Trying again later may succeed."""


class UnavailableError(RetryableError):
    """A peer is down or still loading."""


class OverloadedError(RetryableError):
    """A bounded queue is full."""


class RateLimited(OverloadedError):
    """This caller asks too often. `retry_after_s`: whole seconds until it may ask again."""

    def __init__(self, message: str, *, field: str | None = None, retry_after_s: int = 1) -> None:
        super().__init__(message, field=field, fix=f"try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class DeadlineError(RetryableError):
    """The caller's time ran out."""


class EnrichmentError(RetryableError):
    """A model or lookup that an effect needs gave nothing."""


class PermanentError(RapportError):
    """The same input fails again."""


class SchemaViolation(PermanentError):
    """The bytes are not the event that they claim to be."""


class SizeViolation(PermanentError):
    """Too many bytes."""


class InvalidRequest(PermanentError):
    """An argument is wrong."""


class NotFound(PermanentError):
    """What was named does not exist."""


class PermissionRefused(PermanentError):
    """A missing or wrong key or scope."""


class StateConflict(PermanentError):
    """The state does not allow it."""


class ModelError(PermanentError):
    """Weights that cannot be loaded or used."""


class ConfigurationError(PermanentError):
    """A setting is unknown, missing or malformed."""


class HandlerError(PermanentError):
    """A handler failed on a message that is well formed."""


@dataclass(frozen=True, slots=True)
class Outward:
    """How an error looks from outside."""

    grpc: grpc.StatusCode
    http: int
    dead_letter: DeadLetterKind


_Code, _Kind = grpc.StatusCode, DeadLetterKind
# Nearest ancestor wins, so a new leaf is mapped as its branch until it has a line of its own.
_OUTWARD: dict[type[BaseException], Outward] = {
    BaseException: Outward(_Code.INTERNAL, 500, _Kind.HANDLER_ERROR),
    RetryableError: Outward(_Code.UNAVAILABLE, 503, _Kind.ENRICHMENT_FAILURE),
    OverloadedError: Outward(_Code.RESOURCE_EXHAUSTED, 429, _Kind.ENRICHMENT_FAILURE),
    DeadlineError: Outward(_Code.DEADLINE_EXCEEDED, 504, _Kind.ENRICHMENT_FAILURE),
    SchemaViolation: Outward(_Code.INVALID_ARGUMENT, 422, _Kind.SCHEMA_VIOLATION),
    SizeViolation: Outward(_Code.INVALID_ARGUMENT, 413, _Kind.SIZE_VIOLATION),
    InvalidRequest: Outward(_Code.INVALID_ARGUMENT, 422, _Kind.HANDLER_ERROR),
    NotFound: Outward(_Code.NOT_FOUND, 404, _Kind.HANDLER_ERROR),
    PermissionRefused: Outward(_Code.PERMISSION_DENIED, 403, _Kind.HANDLER_ERROR),
    StateConflict: Outward(_Code.FAILED_PRECONDITION, 409, _Kind.HANDLER_ERROR),
}

_FROM_GRPC: dict[grpc.StatusCode, type[RapportError]] = {
    _Code.UNAVAILABLE: UnavailableError,
    _Code.RESOURCE_EXHAUSTED: OverloadedError,
    _Code.DEADLINE_EXCEEDED: DeadlineError,
    _Code.INVALID_ARGUMENT: InvalidRequest,
    _Code.NOT_FOUND: NotFound,
    _Code.PERMISSION_DENIED: PermissionRefused,
    _Code.FAILED_PRECONDITION: StateConflict,
}


def outward(error: BaseException) -> Outward:
    """How `error` looks to a gRPC caller, to an HTTP caller, and on the dead-letter topic."""
    return next(_OUTWARD[ancestor] for ancestor in type(error).__mro__ if ancestor in _OUTWARD)


def from_grpc(error: grpc.RpcError, peer: str) -> RapportError:
    """The tree's error for what `peer` answered. Statuses that name no branch become `UnavailableError`.

    Where it is the peer's fault, `field` is the peer.
    """
    code = error.code() if isinstance(error, grpc.Call | grpc.aio.AioRpcError) else _Code.UNKNOWN
    details = error.details() if isinstance(error, grpc.Call | grpc.aio.AioRpcError) else str(error)
    kind, said = _FROM_GRPC.get(code, UnavailableError), details or code.name
    return kind(said, field=peer) if issubclass(kind, RetryableError) else kind(f"{peer}: {said}")
