"""ContentService over gRPC: decode, call the handler, encode."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast, get_args

import grpc
from google.protobuf.json_format import MessageToDict
from pydantic import ValidationError

from rapport.bus.ports import Publisher
from rapport.contracts.content.v1 import content_service_pb2 as wire
from rapport.contracts.content.v1.content_service_pb2_grpc import (
    ContentServiceServicer,
    add_ContentServiceServicer_to_server,
)
from rapport.events.codec import schema_violation
from rapport.events.content import ContentRequested
from rapport.ops.errors import InvalidRequest, NotFound
from rapport.serving.server import Servicing
from services.content import encoding
from services.content.domain.audience import People
from services.content.domain.experiments.performance import By, ranking
from services.content.domain.templates import Templates
from services.content.handlers.briefs import BriefHandlers
from services.content.handlers.experiments import ExperimentHandlers
from services.content.handlers.review import ReviewHandlers
from services.content.handlers.texts import Texts

Context = grpc.aio.ServicerContext[Any, Any]
SERVICE = wire.DESCRIPTOR.services_by_name["ContentService"].full_name
_STATUSES = ("pending", "approved", "rejected")
_DRAFTS, _PAGE, _MOST = 100, 1000, 10_000


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the API answers from."""

    briefs: BriefHandlers
    review: ReviewHandlers
    experiments: ExperimentHandlers
    people: People
    templates: Templates
    texts: Texts


class ContentApi(ContentServiceServicer):
    """Answers calls and publishes what they cause, as for messages from Kafka."""

    # The methods have the proto's names, and gRPC passes a context to each, used or not.

    def __init__(self, rooms: Rooms, publisher: Publisher, tenant: str) -> None:
        self._rooms, self._publisher, self._tenant = rooms, publisher, tenant

    async def Create(self, request: wire.CreateRequest, context: Context) -> wire.CreateResponse:
        tenant = request.brief.tenant or self._tenant
        created = await self._rooms.briefs.create(brief_of(request.brief), tenant)
        await self._publisher.send_many(created.outgoing)
        return encoding.create_response(created)

    async def ListDrafts(self, request: wire.ListDraftsRequest, context: Context) -> wire.ListDraftsResponse:
        status = request.status or "pending"
        if status not in _STATUSES:
            raise InvalidRequest(f"no status {status!r}", field="status", fix=f"one of {', '.join(_STATUSES)}")
        found = self._rooms.review.drafts.listed(request.tenant or self._tenant, status, request.limit or _DRAFTS)
        return wire.ListDraftsResponse(drafts=[encoding.draft(each) for each in found])

    async def Review(self, request: wire.ReviewRequest, context: Context) -> wire.ReviewResponse:
        tenant = request.tenant or self._tenant
        decided, outgoing = await self._rooms.review.review(
            tenant, request.content_id, request.decision, request.by, request.reason
        )
        await self._publisher.send_many(outgoing)
        return wire.ReviewResponse(draft=encoding.draft(decided))

    async def Assign(self, request: wire.AssignRequest, context: Context) -> wire.AssignResponse:
        tenant = request.tenant or self._tenant
        if not request.customer_id:
            raise InvalidRequest("is missing", field="customer_id")
        found = await self._rooms.experiments.assigned(tenant, request.experiment_id, request.customer_id)
        text = self._rooms.texts.of(tenant, found.experiment.content_id, found.variation_id)
        return encoding.assigned(found, text)

    async def ListExperiments(
        self, request: wire.ListExperimentsRequest, context: Context
    ) -> wire.ListExperimentsResponse:
        tenant, board = request.tenant or self._tenant, self._rooms.experiments.board
        if request.experiment_id:
            found = [board.named(tenant, request.experiment_id)]
        else:
            found = [each for each in board.of_tenant(tenant) if request.status in {"", each.status}]
        return wire.ListExperimentsResponse(
            experiments=[encoding.experiment(each, board.report(tenant, each.experiment_id)) for each in found]
        )

    async def EndExperiment(self, request: wire.EndExperimentRequest, context: Context) -> wire.EndExperimentResponse:
        tenant, handlers = request.tenant or self._tenant, self._rooms.experiments
        changed, outgoing = handlers.ended(tenant, request.experiment_id, request.winner, request.by, request.reason)
        await self._publisher.send_many([outgoing])
        report = handlers.board.report(tenant, request.experiment_id)
        return wire.EndExperimentResponse(experiment=encoding.experiment(changed, report))

    async def Performance(self, request: wire.PerformanceRequest, context: Context) -> wire.PerformanceResponse:
        tenant, board, by = request.tenant or self._tenant, self._rooms.experiments.board, request.by or "template"
        if by not in get_args(By):
            raise InvalidRequest(f"cannot rank by {by!r}", field="by", fix=f"one of {', '.join(get_args(By))}")
        experiments = [(each, board.tally(tenant, each.experiment_id)) for each in board.of_tenant(tenant)]
        return wire.PerformanceResponse(rows=encoding.rows(ranking(experiments, cast("By", by), request.kind)))

    async def Preview(self, request: wire.PreviewRequest, context: Context) -> wire.PreviewResponse:
        templates = self._rooms.templates
        shown = [
            encoding.template(language, entry, templates.preview(language, entry.id))
            for language, entry in templates.entries()
            if request.language in {"", language} and request.template_id in {"", entry.id}
        ]
        if not shown:
            known = ", ".join(sorted({language for language, _ in templates.entries()}))
            raise NotFound("no such template", field="template_id", fix=f"languages are {known}")
        return wire.PreviewResponse(templates=shown)

    async def Audience(self, request: wire.AudienceRequest, context: Context) -> wire.AudienceResponse:
        if bool(request.segment) == bool(request.query):
            raise InvalidRequest("give a segment or a query", field="segment")
        tenant, now = request.tenant or self._tenant, datetime.now(UTC)
        segment, query = request.segment or None, request.query or None
        members = self._rooms.people.members(tenant, segment=segment, query=query, now=now)
        page = [name for name in members if name > request.after][: min(request.limit or _PAGE, _MOST)]
        return wire.AudienceResponse(size=len(members), customer_ids=page)


def brief_of(brief: wire.Brief) -> ContentRequested:
    """Raises `SchemaViolation` naming the field."""
    fields = MessageToDict(brief, preserving_proto_field_name=True)
    fields.pop("tenant", None)
    try:
        return ContentRequested.model_validate(fields)
    except ValidationError as error:
        raise schema_violation(error) from error


def servicing(api: ContentApi) -> Servicing:
    return add_ContentServiceServicer_to_server, api, SERVICE
