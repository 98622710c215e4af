"""Builds the learned half: called by the service's bootstrap."""

from __future__ import annotations

from functools import partial

from rapport.models.promoted import PromotedModels
from rapport.models.registry import Registry
from rapport.ops.settings import Settings
from rapport.serving.channel import PeerChannel
from services.recommender.learned.names import FACTORS, ITEM_ITEM, RANKER, SEQUENCE, TRIAL, of_tenant, tenant_of
from services.recommender.learned.rankers import PromotedRankers
from services.recommender.learned.sequence import SequenceRecall
from services.recommender.learned.settings import LearnedSection
from services.recommender.learned.sources import FactorsSource, ItemItemSource
from services.recommender.ports import Joined, Recaller


def learned_parts(settings: Settings, own: LearnedSection, worker: PeerChannel) -> Joined:
    """Sources, recall and rankers that follow what is promoted on `models.v1`; without promotions they find nothing and
    the weights are fixed."""
    item_item, factors = ItemItemSource(), FactorsSource()
    sequence = SequenceRecall(worker, settings.tenant)
    rankers = PromotedRankers(Registry(settings.models.cache))
    promoted = PromotedModels("recommender", settings)
    promoted.follow_all(ITEM_ITEM, lambda suffix: partial(item_item.use, tenant_of(suffix)))
    promoted.follow_all(FACTORS, lambda suffix: partial(factors.use, tenant_of(suffix)))
    promoted.follow_all(RANKER, lambda suffix: partial(rankers.use, tenant_of(suffix)))
    promoted.follow_all(TRIAL, lambda suffix: partial(rankers.begin, tenant_of(suffix)))
    if own.sequence:
        # The worker holds one such model.
        promoted.follow(of_tenant(SEQUENCE, settings.tenant), sequence.use)
    recallers: tuple[Recaller, ...] = (sequence,) if own.sequence else ()
    following = (promoted,) if settings.models.follow else ()
    return Joined(following, (item_item, factors), recallers, rankers)
