"""The recommender's API."""

from __future__ import annotations

from google.protobuf.json_format import MessageToDict
from pydantic import ValidationError

from rapport.contracts.recommender.v1.recommendation_service_pb2 import Recommendation, RecommendRequest
from rapport.contracts.recommender.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from rapport.events.codec import schema_violation
from rapport.events.recommendations import RecommendationMade
from rapport.serving.client import PeerChannel


class GrpcRecommender:
    """`Recommender` behind `channel`."""

    def __init__(self, channel: PeerChannel) -> None:
        self._channel = channel

    async def recommend(self, tenant: str, customer_id: str | None, language: str, limit: int) -> RecommendationMade:
        request = RecommendRequest(customer_id=customer_id or "", tenant=tenant, limit=limit, language=language)
        method = self._channel.stub(RecommendationServiceStub).Recommend
        return _event((await self._channel.call(method, request)).recommendation)


def _event(made: Recommendation) -> RecommendationMade:
    """The same object as on the topic. Raises `SchemaViolation` when it is not what the contract says."""
    fields = MessageToDict(made, preserving_proto_field_name=True)
    # Proto's JSON leaves empty fields out; the event needs a customer and a list, and nobody known is nobody.
    fields = {"customer_id": "unknown", "items": [], **fields}
    fields.pop("tenant", None)
    try:
        return RecommendationMade.model_validate(fields)
    except ValidationError as error:
        raise schema_violation(error) from error
