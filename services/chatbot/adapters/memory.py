"""Conversations in Redis.

    <tenant>:chat-turns:<conversation>     list of turns, JSON, the newest last
    <tenant>:chat-state:<conversation>     whose it is, requests under way, summary of older turns
    <tenant>:chat-desk:<conversation>      who answers: person or bot
    <tenant>:chat-outcome:<reply>          what became of one message
    <tenant>:chat-whole:marker             there as long as nothing was lost

Turns are appended, never rewritten, so two replicas cannot lose each other's. Who answers is kept apart from the state,
so that a reply which was under way while a person took the conversation over cannot take it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, TypeAdapter

from rapport.vectors import keys
from rapport.vectors.connection import RedisConnection, execute
from services.chatbot.domain.conversation import Conversation, Turn
from services.chatbot.domain.dialogue import Dialogue
from services.chatbot.domain.outcome import Outcome

_TURN = TypeAdapter(Turn)
_WHOLE = ("chat-whole", "marker")
_PERSON, _BOT = b"person", b"bot"


class _State(BaseModel):
    model_config = ConfigDict(frozen=True)

    customer_id: str | None = None
    language: str = ""
    dialogue: Dialogue = Dialogue()
    summary: str = ""


class RedisMemory:
    """`Memory` on Redis; every call is one round trip."""

    def __init__(self, redis: RedisConnection, *, turns: int, keep_s: int, outcome_s: int) -> None:
        """`turns` are kept a conversation, for `keep_s` seconds after the last; outcomes for `outcome_s` seconds."""
        self._redis, self._turns, self._keep_s, self._outcome_s = redis, turns, keep_s, outcome_s

    async def recall(self, tenant: str, conversation_id: str, reply_id: str) -> tuple[Conversation, Outcome | None]:
        pipeline = self._redis.pipeline()
        pipeline.lrange(keys.document(tenant, "chat-turns", conversation_id), -self._turns, -1)
        pipeline.get(keys.document(tenant, "chat-state", conversation_id))
        pipeline.get(keys.document(tenant, "chat-desk", conversation_id))
        pipeline.get(keys.document(tenant, "chat-outcome", reply_id))
        turns, state, desk, done = await execute(pipeline)
        known = _State.model_validate_json(state) if state else _State()
        conversation = Conversation(
            tenant,
            conversation_id,
            customer_id=known.customer_id,
            with_person=desk == _PERSON,
            language=known.language,
            dialogue=known.dialogue,
            summary=known.summary,
        ).plus(*(_TURN.validate_json(turn) for turn in turns))
        return conversation, Outcome.model_validate_json(done) if done else None

    async def remember(
        self,
        conversation: Conversation,
        new: Sequence[Turn],
        done: Outcome | None = None,
        *,
        fold: int = 0,
        aside: bool = False,
        with_person: bool | None = None,
    ) -> None:
        tenant, id_ = conversation.tenant, conversation.id
        list_key, desk_key = keys.document(tenant, "chat-turns", id_), keys.document(tenant, "chat-desk", id_)
        pipeline = self._redis.pipeline()
        pipeline.ltrim(list_key, fold, -1)
        pipeline.rpush(list_key, *(_TURN.dump_json(turn) for turn in new))
        pipeline.ltrim(list_key, -self._turns, -1)
        pipeline.expire(list_key, self._keep_s)
        state_key = keys.document(tenant, "chat-state", id_)
        pipeline.set(state_key, _state(conversation), ex=self._keep_s, nx=aside)
        pipeline.expire(state_key, self._keep_s)
        if with_person is None:
            pipeline.expire(desk_key, self._keep_s)
        else:
            pipeline.set(desk_key, _desk(with_person), ex=self._keep_s)
        if done is not None:
            outcome_key = keys.document(tenant, "chat-outcome", done.reply.reply_id)
            pipeline.set(outcome_key, done.model_dump_json(exclude_none=True), ex=self._outcome_s)
        await execute(pipeline)

    async def fill(self, conversation: Conversation) -> None:
        """Adds a conversation where there is none."""
        tenant, id_ = conversation.tenant, conversation.id
        pipeline = self._redis.pipeline()
        pipeline.set(keys.document(tenant, "chat-state", id_), _state(conversation), ex=self._keep_s, nx=True)
        desk = _desk(conversation.with_person)
        pipeline.set(keys.document(tenant, "chat-desk", id_), desk, ex=self._keep_s, nx=True)
        fresh, _ = await execute(pipeline)
        if fresh and conversation.turns:
            list_key = keys.document(tenant, "chat-turns", id_)
            pipeline = self._redis.pipeline()
            # Before what somebody says just now: their turns are at the end already.
            pipeline.lpush(list_key, *(_TURN.dump_json(turn) for turn in reversed(conversation.turns)))
            pipeline.expire(list_key, self._keep_s)
            await execute(pipeline)

    async def whole(self, tenant: str) -> bool:
        """False after Redis was emptied, and before it was ever filled."""
        return (await self._redis.read([keys.document(tenant, *_WHOLE)]))[0] is not None

    async def mark_whole(self, tenant: str) -> None:
        await self._redis.write({keys.document(tenant, *_WHOLE): b"1"})


def _state(conversation: Conversation) -> str:
    return _State(
        customer_id=conversation.customer_id,
        language=conversation.language,
        dialogue=conversation.dialogue,
        summary=conversation.summary,
    ).model_dump_json()


def _desk(with_person: bool) -> bytes:
    return _PERSON if with_person else _BOT
