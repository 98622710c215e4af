"""The services behind the edge, over gRPC; requests and answers as JSON objects with the protos' field names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rapport.contracts.chatbot.v1 import chat_service_pb2 as chat
from rapport.contracts.chatbot.v1.chat_service_pb2_grpc import ChatServiceStub
from rapport.contracts.content.v1 import content_service_pb2 as content
from rapport.contracts.content.v1.content_service_pb2_grpc import ContentServiceStub
from rapport.contracts.profiler.v1 import profile_service_pb2 as profiler
from rapport.contracts.profiler.v1.profile_service_pb2_grpc import ProfileServiceStub
from rapport.contracts.recommender.v1 import recommendation_service_pb2 as recommender
from rapport.contracts.recommender.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from rapport.ops.errors import InvalidRequest
from rapport.serving.channel import PeerChannel
from services.gateway.ports import Json

M = TypeVar("M", bound=Message)


class GrpcPeers:
    """`Peers` over one channel a service. Raises the error tree's branch for what the peer answered."""

    def __init__(
        self,
        profiler_channel: PeerChannel,
        recommender_channel: PeerChannel,
        chatbot_channel: PeerChannel,
        content_channel: PeerChannel,
    ) -> None:
        self._profiler, self._recommender = profiler_channel, recommender_channel
        self._chatbot, self._content = chatbot_channel, content_channel

    async def profile(self, tenant: str, customer_id: str) -> Json:
        request = profiler.GetProfileRequest(customer_id=customer_id, tenant=tenant)
        answer = await self._profiler.call(self._profiler.stub(ProfileServiceStub).GetProfile, request)
        return to_json(answer.profile)

    async def explain_profile(self, request: Json) -> Json:
        method = self._profiler.stub(ProfileServiceStub).ExplainProfile
        explained = await self._profiler.call(method, to_proto(request, profiler.ExplainProfileRequest()))
        return to_json(explained)

    async def recommend(self, request: Json) -> Json:
        method = self._recommender.stub(RecommendationServiceStub).Recommend
        answer = await self._recommender.call(method, to_proto(request, recommender.RecommendRequest()))
        return to_json(answer.recommendation, whole=True)

    async def rank(self, request: Json) -> Json:
        method = self._recommender.stub(RecommendationServiceStub).Rank
        ranked = await self._recommender.call(method, to_proto(request, recommender.RankRequest()))
        return to_json(ranked, whole=True)

    async def similar(self, request: Json) -> Json:
        method = self._recommender.stub(RecommendationServiceStub).Similar
        similar = await self._recommender.call(method, to_proto(request, recommender.SimilarRequest()))
        return to_json(similar, whole=True)

    async def trending(self, request: Json) -> Json:
        method = self._recommender.stub(RecommendationServiceStub).Trending
        trending = await self._recommender.call(method, to_proto(request, recommender.TrendingRequest()))
        return to_json(trending, whole=True)

    async def create_content(self, brief: Json) -> Json:
        request = content.CreateRequest(brief=to_proto(brief, content.Brief()))
        created = await self._content.call(self._content.stub(ContentServiceStub).Create, request)
        return to_json(created)

    async def content(self, call: str, request: Json) -> Json:
        method = content.DESCRIPTOR.services_by_name["ContentService"].methods_by_name[call]
        asked = to_proto(request, GetMessageClass(method.input_type)())
        answer = await self._content.call(getattr(self._content.stub(ContentServiceStub), call), asked)
        return MessageToDict(answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)

    async def converse(self, request: Json) -> AsyncIterator[Json]:
        method = self._chatbot.stub(ChatServiceStub).Converse
        async for piece in self._chatbot.stream(method, to_proto(request, chat.ConverseRequest())):
            yield to_json(piece)


def to_json(message: Message, *, whole: bool = False) -> Json:
    """Field names as in the proto, times as RFC 3339, whole numbers as numbers; empty fields are left out, unless the
    answer is wanted whole: a list without items is `[]`, a score of 0 is `0.0`."""
    fields = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=whole)
    return _numbers(fields, message)


def to_proto(fields: Json, message: M) -> M:
    """Raises `InvalidRequest` naming the field that does not fit; None values are left out."""
    try:
        return ParseDict({name: value for name, value in fields.items() if value is not None}, message)
    except ParseError as error:
        raise InvalidRequest(str(error)) from error


def _numbers(fields: Json, message: Message) -> Json:
    """Protobuf's JSON writes 64-bit integers as text; ours are counts, well below 2^53."""
    for name, value in fields.items():
        descriptor = message.DESCRIPTOR.fields_by_name[name]
        if descriptor.cpp_type in {descriptor.CPPTYPE_UINT64, descriptor.CPPTYPE_INT64} and isinstance(value, str):
            fields[name] = int(value)
        elif isinstance(value, dict) and descriptor.message_type and not descriptor.message_type.GetOptions().map_entry:
            fields[name] = _numbers(value, getattr(message, name))
    return fields
