"""Conversations in Redis.

    <tenant>:chat-turns:<conversation>     list of turns, JSON, the newest last
    <tenant>:chat-state:<conversation>     whose it is, who answers, the language spoken
    <tenant>:chat-outcome:<reply>          what became of one message

Turns are appended, never rewritten, so two replicas cannot lose each other's.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, TypeAdapter

from rapport.vectors import keys
from rapport.vectors.connection import RedisConnection, execute
from services.chatbot.domain.conversation import Conversation, Turn
from services.chatbot.domain.outcome import Outcome

_TURN = TypeAdapter(Turn)


class _State(BaseModel):
    model_config = ConfigDict(frozen=True)

    customer_id: str | None = None
    with_person: bool = False
    language: str = ""


class RedisMemory:
    """`Memory` on Redis; every call is one round trip."""

    def __init__(self, redis: RedisConnection, *, turns: int, keep_s: int, outcome_s: int) -> None:
        """`turns` are kept a conversation, for `keep_s` seconds after the last; outcomes for `outcome_s` seconds."""
        self._redis, self._turns, self._keep_s, self._outcome_s = redis, turns, keep_s, outcome_s

    async def recall(self, tenant: str, conversation_id: str, reply_id: str) -> tuple[Conversation, Outcome | None]:
        pipeline = self._redis.pipeline()
        pipeline.lrange(keys.document(tenant, "chat-turns", conversation_id), -self._turns, -1)
        pipeline.get(keys.document(tenant, "chat-state", conversation_id))
        pipeline.get(keys.document(tenant, "chat-outcome", reply_id))
        turns, state, done = await execute(pipeline)
        known = _State.model_validate_json(state) if state else _State()
        conversation = Conversation(
            tenant,
            conversation_id,
            customer_id=known.customer_id,
            with_person=known.with_person,
            language=known.language,
        ).plus(*(_TURN.validate_json(turn) for turn in turns))
        return conversation, Outcome.model_validate_json(done) if done else None

    async def remember(self, conversation: Conversation, new: Sequence[Turn], done: Outcome | None = None) -> None:
        tenant, id_ = conversation.tenant, conversation.id
        list_key = keys.document(tenant, "chat-turns", id_)
        state = _State(
            customer_id=conversation.customer_id,
            with_person=conversation.with_person,
            language=conversation.language,
        )
        pipeline = self._redis.pipeline()
        pipeline.rpush(list_key, *(_TURN.dump_json(turn) for turn in new))
        pipeline.ltrim(list_key, -self._turns, -1)
        pipeline.expire(list_key, self._keep_s)
        pipeline.set(keys.document(tenant, "chat-state", id_), state.model_dump_json(), ex=self._keep_s)
        if done is not None:
            outcome_key = keys.document(tenant, "chat-outcome", done.reply.reply_id)
            pipeline.set(outcome_key, done.model_dump_json(exclude_none=True), ex=self._outcome_s)
        await execute(pipeline)
