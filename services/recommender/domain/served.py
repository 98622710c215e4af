"""An answer as it was made, kept until what was seen of it is known: the training data's truth of that moment."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np

from rapport.events.recommendations import ImpressionRecorded
from rapport.vectors.packing import pack, unpack
from services.recommender.domain.answer import Answer
from services.recommender.domain.features import VERSION
from services.recommender.domain.situation import Situation

_ENCODER = msgspec.msgpack.Encoder()


class Served(msgspec.Struct, array_like=True, frozen=True):
    """Lists go by place in the answer."""

    recommendation_id: str
    customer_id: str
    made_ms: int
    source: str
    """push or pull"""
    strategy: str
    ranker: str
    experiment_id: str
    variation_id: str
    product_ids: tuple[str, ...]
    scores: tuple[float, ...]
    propensities: tuple[float, ...]
    shadow_scores: dict[str, tuple[float, ...]]
    feature_version: int
    features: bytes
    """Packed float32 [items, features]."""

    def encode(self) -> bytes:
        return _ENCODER.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Served:
        return _DECODER.decode(data)

    def seen(self, product_ids: Sequence[str], shown_ms: int) -> ImpressionRecorded | None:
        """The impression of those of the products that were in this answer; None when none was."""
        places = [place for place, product_id in enumerate(self.product_ids) if product_id in set(product_ids)]
        if not places:
            return None
        rows = pack(unpack(self.features)[places], np.float32)
        return ImpressionRecorded.model_validate(
            {
                "recommendation_id": self.recommendation_id,
                "customer_id": self.customer_id,
                "shown_at": datetime.fromtimestamp(shown_ms / 1000, UTC),
                "made_at": datetime.fromtimestamp(self.made_ms / 1000, UTC),
                "source": self.source,
                "strategy": self.strategy,
                "ranker": self.ranker,
                "experiment_id": self.experiment_id,
                "variation_id": self.variation_id,
                "product_ids": [self.product_ids[place] for place in places],
                "positions": places,
                "scores": [self.scores[place] for place in places],
                "propensities": [self.propensities[place] for place in places],
                "shadow_scores": {
                    name: [scores[place] for place in places] for name, scores in self.shadow_scores.items()
                },
                "feature_version": self.feature_version,
                "features": base64.b64encode(rows).decode(),
            }
        )


_DECODER = msgspec.msgpack.Decoder(Served)


def served(answer: Answer, situation: Situation, recommendation_id: str, customer_id: str, source: str) -> Served:
    """The record of an answer to this situation."""
    chosen, assignment = answer.chosen, answer.assignment
    return Served(
        recommendation_id=recommendation_id,
        customer_id=customer_id,
        made_ms=situation.now_ms,
        source=source,
        strategy=answer.strategy,
        ranker=assignment.shown.name if assignment.shown else "",
        experiment_id=assignment.experiment,
        variation_id=assignment.variation,
        product_ids=tuple(candidate.product_id for candidate in chosen),
        scores=tuple(candidate.score for candidate in chosen),
        propensities=tuple(candidate.propensity for candidate in chosen),
        shadow_scores={
            name: tuple(scores.get(candidate.product_id, 0.0) for candidate in chosen)
            for name, scores in answer.shadow_scores.items()
        },
        feature_version=VERSION,
        features=pack(answer.features(situation), np.float32),
    )
