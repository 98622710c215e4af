"""Calling ContentService from the command line."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message_factory import GetMessageClass

from deploy.cli.context import require_running, settings_and_home
from rapport.contracts.content.v1 import content_service_pb2 as wire
from rapport.contracts.content.v1.content_service_pb2_grpc import ContentServiceStub
from rapport.ops.errors import InvalidRequest, RetryableError, StateConflict, UnavailableError
from rapport.serving.channel import PeerChannel

Json = dict[str, Any]
Call = Callable[[str, Json], Awaitable[Json]]
# A brief of several variants and attempts may take a language model on a busy CPU so long.
_TIMEOUT_S = 180.0
# A service that is there answers a small question in milliseconds; one that is not should be named soon.
_THERE_WITHIN_S = 10.0
_PAGE = 10_000


@contextlib.asynccontextmanager
async def connected(address: str | None) -> AsyncIterator[Call]:
    """A function that calls the service by method name. Errors as the error tree's branches.

    Raises `UnavailableError` when nothing answers at the address.
    """
    channel = PeerChannel("content", address or _running(), _TIMEOUT_S)
    await channel.start()
    try:
        small = wire.ListDraftsRequest(limit=1)
        await channel.call(channel.stub(ContentServiceStub).ListDrafts, small, timeout_s=_THERE_WITHIN_S)
    except RetryableError as error:
        await channel.stop()
        where = address or _running()
        raise UnavailableError(f"no content service answers at {where}", fix="./rapport status") from error

    async def call(name: str, request: Json) -> Json:
        method = wire.DESCRIPTOR.services_by_name["ContentService"].methods_by_name[name]
        try:
            asked = ParseDict(request, GetMessageClass(method.input_type)())
        except ParseError as error:
            # The names that it knows follow, in another spelling than a brief's.
            raise InvalidRequest(str(error).splitlines()[0], field="brief", fix="see docs/copy.md") from error
        answer = await channel.call(getattr(channel.stub(ContentServiceStub), name), asked)
        return MessageToDict(answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)

    try:
        yield call
    finally:
        await channel.stop()


async def calling(address: str | None, name: str, request: Json) -> Json:
    """One call."""
    async with connected(address) as call:
        return await call(name, request)


async def members(address: str | None, segment: str, query: str) -> list[str]:
    """All customers of an audience, page by page."""
    found: list[str] = []
    async with connected(address) as call:
        while True:
            asked = {"segment": segment, "query": query, "limit": _PAGE, "after": found[-1] if found else ""}
            page: list[str] = (await call("Audience", asked))["customer_ids"]
            found += page
            if len(page) < _PAGE:
                return found


def _running() -> str:
    _, home = settings_and_home()
    address = require_running(home).address("content")
    if address is None:
        raise StateConflict("the stack has no content service", fix="./rapport up, or give --address")
    return address
