"""Answers of ContentService from the domain's objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp

from rapport.contracts.content.v1 import content_service_pb2 as wire
from rapport.events.content import ContentDrafted
from rapport.events.experiments import ExperimentChanged, VariationInfo
from services.content.domain.experiments.performance import Row
from services.content.domain.experiments.report import ArmReport, Report
from services.content.domain.templates import TemplateEntry
from services.content.handlers.briefs import Created
from services.content.handlers.experiments import Assigned


def create_response(created: Created) -> wire.CreateResponse:
    content = created.content
    fields = content.model_dump(
        mode="json",
        include={"content_id", "request_id", "variants", "experiment_id", "audience_size", "model"},
        exclude_none=True,
    )
    return ParseDict({**fields, "status": created.status}, wire.CreateResponse(), ignore_unknown_fields=True)


def draft(found: ContentDrafted) -> wire.Draft:
    fields = found.model_dump(
        mode="json", include={"content_id", "status", "by", "reason", "created_at", "decided_at"}, exclude_none=True
    )
    content = found.content.model_dump(
        mode="json", include={"kind", "channel", "language", "variants", "product_ids"}, exclude_none=True
    )
    return ParseDict({**fields, **content}, wire.Draft(), ignore_unknown_fields=True)


def assigned(found: Assigned, text: str) -> wire.AssignResponse:
    return wire.AssignResponse(
        experiment_id=found.experiment.experiment_id,
        content_id=found.experiment.content_id,
        in_experiment=found.in_experiment,
        variation_id=found.variation_id,
        share=found.share,
        reason=found.reason,
        text=text,
    )


def experiment(found: ExperimentChanged, report: Report) -> wire.Experiment:
    infos = {info.variation_id: info for info in found.variations}
    answer = wire.Experiment(
        experiment_id=found.experiment_id,
        content_id=found.content_id,
        status=found.status,
        mode=found.plan.mode,
        metric=found.plan.metric,
        winner=found.winner or "",
        by=found.by or "",
        reason=found.reason or "",
        arms=[_arm(arm, infos[arm.variation_id]) for arm in report.arms],
        regret=report.regret,
        expected_loss=report.expected_loss,
        verdict=report.verdict,
        leader=report.leader,
        decided=report.decided,
        segments=[
            wire.SegmentShare(segment=each.segment, customers=each.customers, weights=each.weights, means=each.means)
            for each in report.segments
        ],
        kind=found.kind,
        channel=found.channel,
        language=found.language,
        product_ids=found.product_ids,
    )
    _set_time(answer.started_at, found.started_at)
    if found.ended_at is not None:
        _set_time(answer.ended_at, found.ended_at)
    if report.imbalance_p is not None:
        answer.imbalance_p = report.imbalance_p
    return answer


def template(language: str, entry: TemplateEntry, texts: Sequence[str]) -> wire.TemplatePreview:
    return wire.TemplatePreview(
        language=language,
        template_id=entry.id,
        version=entry.version,
        kind=entry.kind,
        channels=entry.channels,
        frame=entry.words is not None,
        texts=texts,
    )


def rows(found: Sequence[Row]) -> list[wire.PerformanceRow]:
    return [
        wire.PerformanceRow(
            name=row.name, customers=row.customers, successes=row.successes, rate=row.rate, low=row.low, high=row.high
        )
        for row in found
    ]


def _arm(arm: ArmReport, info: VariationInfo) -> wire.Arm:
    answer = wire.Arm(
        variation_id=arm.variation_id,
        author=info.author,
        template_id=info.template_id or "",
        tone=info.tone or "",
        customers=arm.customers,
        successes=arm.successes,
        rate=arm.rate,
        low=arm.interval[0],
        high=arm.interval[1],
        weight=arm.weight,
        chance_best=arm.chance_best,
        posterior_alpha=arm.posterior.alpha,
        posterior_beta=arm.posterior.beta,
        posterior_mean=arm.posterior.mean,
    )
    if arm.lift is not None and arm.lift_interval is not None:
        answer.lift, (answer.lift_low, answer.lift_high) = arm.lift, arm.lift_interval
    if arm.revenue_per_customer is not None:
        answer.revenue_per_customer = arm.revenue_per_customer
    return answer


def _set_time(field: Timestamp, moment: datetime) -> None:
    field.FromDatetime(moment)
