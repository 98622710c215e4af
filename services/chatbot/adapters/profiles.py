"""The profiler's API: what a customer needs now."""

from __future__ import annotations

import time
from collections import OrderedDict

import structlog

from rapport.contracts.profiler.v1.profile_service_pb2 import GetProfileRequest
from rapport.contracts.profiler.v1.profile_service_pb2_grpc import ProfileServiceStub
from rapport.ops.errors import NotFound, RetryableError
from rapport.serving.client import PeerChannel

log = structlog.stdlib.get_logger(__name__)
# Needs move with each click; within a conversation a minute is soon enough.
_FRESH_S = 60.0
# Customers remembered: those who talk at once, and few bytes each.
_MOST = 10_000


class GrpcProfiles:
    """`Profiles` behind `channel`, remembered for a minute."""

    def __init__(self, channel: PeerChannel) -> None:
        self._channel = channel
        self._known: OrderedDict[tuple[str, str], tuple[float, tuple[str, ...]]] = OrderedDict()

    async def needs(self, tenant: str, customer_id: str) -> tuple[str, ...]:
        at, needs = self._known.get((tenant, customer_id), (0.0, ()))
        if time.monotonic() - at < _FRESH_S and at:
            return needs
        request = GetProfileRequest(customer_id=customer_id, tenant=tenant)
        try:
            answer = await self._channel.call(self._channel.stub(ProfileServiceStub).GetProfile, request)
            needs = tuple(need.label for need in answer.profile.needs)
        except NotFound:
            needs = ()
        except RetryableError as error:
            log.warning("no needs: the profiler does not answer", error=str(error))
            needs = ()
        self._known[tenant, customer_id] = (time.monotonic(), needs)
        self._known.move_to_end((tenant, customer_id))
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return needs
