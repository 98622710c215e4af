"""Every error has one outward face, and comes back from gRPC as what it was."""

from __future__ import annotations

import grpc
import pytest

from rapport.ops import errors


def _leaves(kind: type[errors.RapportError]) -> list[type[errors.RapportError]]:
    below = kind.__subclasses__()
    return [leaf for child in below for leaf in _leaves(child)] if below else [kind]


@pytest.mark.parametrize("kind", _leaves(errors.RapportError))
def test_each_error_belongs_to_one_branch_and_keeps_its_branch_over_grpc(kind: type[errors.RapportError]) -> None:
    retryable = issubclass(kind, errors.RetryableError)
    assert retryable != issubclass(kind, errors.PermanentError)
    face = errors.outward(kind("x"))
    assert face.http in {429, 503, 504} if retryable else face.http not in {429, 503, 504}

    call = grpc.aio.AioRpcError(face.grpc, grpc.aio.Metadata(), grpc.aio.Metadata(), details="x")
    returned = errors.from_grpc(call, "peer")
    if face.grpc is not grpc.StatusCode.INTERNAL:
        assert isinstance(returned, errors.RetryableError) == retryable


def test_an_error_says_where_what_and_how_to_mend_it() -> None:
    error = errors.InvalidRequest("must be positive", field="limit", fix="leave it out")
    assert str(error) == "limit: must be positive (leave it out)"


def test_errors_from_elsewhere_are_internal_handler_errors() -> None:
    face = errors.outward(KeyError("x"))
    assert (face.http, face.dead_letter) == (500, errors.DeadLetterKind.HANDLER_ERROR)
