"""What was seen joined to what became of it, by `recommendation_id`: the lists that a ranker is fitted on."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from rapport.events.recommendations import ImpressionRecorded
from rapport.ops.errors import SchemaViolation
from rapport.vectors.packing import unpack
from services.recommender.training.ranker import Floats, Ids, Lists, click_weights
from services.recommender.training.signals import Signal

# A click belongs to an impression for a day, as the console's click-through does: later ones have other causes.
WINDOW_MS = 24 * 3_600_000
# What an item gains by what the customer did with it after it was seen.
GAINS: Mapping[str, int] = MappingProxyType({"item_clicked": 1, "product_added": 2, "order_completed": 3})


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer as it was seen, with what became of it. Rows go by `product_ids`."""

    tenant: str
    recommendation_id: str
    customer_id: str
    shown_ms: int
    ranker: str
    variation: str
    feature_version: int
    product_ids: tuple[str, ...]
    positions: Ids
    scores: Floats
    propensities: Floats
    shadows: Mapping[str, Floats]
    features: Floats
    """[rows, F]"""
    gains: Ids


Clicks = Mapping[tuple[str, str, str], Sequence[int]]
"""Times by tenant, recommendation and product."""


def joined(
    impressions: Iterable[tuple[str, ImpressionRecorded]], clicks: Clicks, signals: Sequence[Signal]
) -> list[Seen]:
    """`impressions`: with the tenant of each. An impression told twice counts once, at its first time. Carts and orders
    count only for what was clicked in this very list: without the click they have other causes."""
    later: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for signal in signals:
        if GAINS.get(signal.kind, 0) > 1:
            key = (signal.tenant, signal.customer_id, signal.product_id)
            later[key].append((signal.at_ms, GAINS[signal.kind]))
    first: dict[tuple[str, str, tuple[str, ...]], tuple[str, ImpressionRecorded]] = {}
    for tenant, event in sorted(impressions, key=lambda pair: pair[1].shown_at):
        first.setdefault((tenant, event.recommendation_id, event.product_ids), (tenant, event))
    return [_seen(tenant, event, clicks, later) for tenant, event in first.values()]


def _seen(
    tenant: str,
    event: ImpressionRecorded,
    clicks: Clicks,
    later: Mapping[tuple[str, str, str], Sequence[tuple[int, int]]],
) -> Seen:
    shown_ms = int(event.shown_at.timestamp() * 1000)
    gains = np.zeros(len(event.product_ids), np.int32)
    for row, product_id in enumerate(event.product_ids):
        times = clicks.get((tenant, event.recommendation_id, product_id), ())
        clicked = [at for at in times if shown_ms <= at < shown_ms + WINDOW_MS]
        if clicked:
            after = later.get((tenant, event.customer_id, product_id), ())
            gains[row] = max([1, *(gain for at, gain in after if clicked[0] <= at < shown_ms + WINDOW_MS)])
    features = unpack(base64.b64decode(event.features))
    if features.ndim != 2 or len(features) != len(event.product_ids):
        raise SchemaViolation(f"{event.recommendation_id}: features of shape {features.shape}", field="features")
    return Seen(
        tenant,
        event.recommendation_id,
        event.customer_id,
        shown_ms,
        event.ranker,
        event.variation_id,
        event.feature_version,
        event.product_ids,
        np.array(event.positions, np.int32),
        np.array(event.scores, np.float32),
        np.array(event.propensities, np.float32),
        MappingProxyType({name: np.array(values, np.float32) for name, values in event.shadow_scores.items()}),
        features,
        gains,
    )


def lists_of(seen: Sequence[Seen]) -> Lists:
    """For fitting, with what the places had to do with the clicks."""
    labels, positions = (
        np.concatenate(rows) for rows in zip(*((one.gains, one.positions) for one in seen), strict=True)
    )
    propensities = np.concatenate([one.propensities for one in seen])
    return Lists(
        np.concatenate([one.features for one in seen]),
        labels,
        np.array([len(one.gains) for one in seen], np.int32),
        positions,
        click_weights(labels, positions, propensities),
    )
