"""The messages that handlers publish; ids follow from what they are about, so that a repetition is recognised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rapport.bus.messages import Outgoing
from rapport.events.content import ContentDrafted, ContentPublished, ContentRequested, Variant
from rapport.events.experiments import ExperimentChanged, ExperimentPlan, VariationInfo


def published(content: ContentPublished, tenant: str) -> Outgoing:
    return Outgoing("content.published.v1", content.request_id, content, content.content_id, tenant)


def drafted(draft: ContentDrafted, tenant: str) -> Outgoing:
    return Outgoing("content.drafts.v1", draft.content_id, draft, f"{draft.content_id}:{draft.status}", tenant)


def experiment(changed: ExperimentChanged, tenant: str) -> Outgoing:
    return Outgoing(
        "experiments.v1", changed.experiment_id, changed, f"{changed.experiment_id}:{changed.status}", tenant
    )


def content_of(
    brief: ContentRequested,
    variants: Sequence[Variant],
    model: str | None,
    *,
    suffix: str = "content",
    size: int | None = None,
) -> ContentPublished:
    """What is published for a brief. An experiment has the content's id."""
    content_id = f"{brief.request_id[:200]}:{suffix}"
    return ContentPublished(
        content_id=content_id,
        request_id=brief.request_id,
        kind=brief.kind,
        channel=brief.channel,
        language=brief.language,
        variants=tuple(variants),
        product_ids=brief.product_ids,
        customer_id=brief.customer_id,
        recommendation_id=brief.recommendation_id,
        model=model,
        segment=brief.segment,
        audience_query=brief.audience_query,
        audience_size=size,
        market=brief.market,
        experiment_id=content_id if brief.experiment is not None else None,
    )


def going_out(content: ContentPublished, plan: ExperimentPlan | None, tenant: str, now: datetime) -> list[Outgoing]:
    """The content, and the experiment that starts with it."""
    going = [published(content, tenant)]
    if plan is not None and content.experiment_id is not None:
        infos = tuple(
            VariationInfo(
                variation_id=variant.variant_id,
                author=variant.author,
                template_id=variant.template_id,
                template_version=variant.template_version,
                tone=variant.tone,
                prompt_version=variant.prompt_version,
            )
            for variant in content.variants
        )
        started = ExperimentChanged(
            experiment_id=content.experiment_id,
            content_id=content.content_id,
            plan=plan,
            variations=infos,
            started_at=now,
            kind=content.kind,
            channel=content.channel,
            language=content.language,
            product_ids=content.product_ids,
        )
        # The experiment first: whoever reads the content may send a view of it at once.
        going.insert(0, experiment(started, tenant))
    return going
