"""The chatbot with fakes for everything outside: one shop, its articles, a few orders."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rapport.bus.messages import Outgoing
from rapport.events.catalog import ProductUpserted
from rapport.events.chat import ChatMessage, ChatReply
from rapport.events.knowledge import ArticleUpserted
from rapport.events.orders import OrderUpdated
from rapport.events.recommendations import RankedItem, Reason, RecommendationMade
from rapport.ops.errors import RapportError, UnavailableError
from rapport.testing.events import BEGIN, message, received
from rapport.testing.models import FakeClassifier, FakeEncoder, FakeGenerator
from services.chatbot.adapters.catalog import ShopCatalog
from services.chatbot.bootstrap import rails_of
from services.chatbot.domain.background import Background
from services.chatbot.domain.conversation import Conversation, Turn
from services.chatbot.domain.library import Library
from services.chatbot.domain.outcome import Outcome
from services.chatbot.domain.phrases import Phrases
from services.chatbot.domain.shelf import Float32
from services.chatbot.domain.understanding import Understanding
from services.chatbot.flows.acts import Acts
from services.chatbot.flows.spec import Flows
from services.chatbot.handlers import converse, learn, on_articles, on_chat_messages
from services.chatbot.knowledge import Articles
from services.chatbot.mind import Manner, Mind
from services.chatbot.ports import Encoder, Ports
from services.chatbot.safety.words import Words
from services.chatbot.settings import ChatbotSection
from services.chatbot.understanding import Reader

ARTICLES = (
    ArticleUpserted(
        article_id="a-returns-en",
        language="en",
        translation_of="returns",
        title="How long you can return things",
        body="You can return any item within 30 days of receiving it. Gold members have 60 days. "
        "The item must be unused and complete; trying on shoes indoors is fine. Personalised items stay with you.",
    ),
    ArticleUpserted(
        article_id="a-returns-zh",
        language="zh-CN",
        translation_of="returns",
        title="多长时间内可以退货",
        body="收到商品后30天内可无理由退货。金卡会员为60天。商品须未使用且配件齐全，室内试穿鞋子没有问题。",
    ),
    ArticleUpserted(
        article_id="a-instalments",
        language="en",
        title="Paying with instalments on Alipay Huabei 花呗分期",
        body="Alipay Huabei 花呗分期 splits the amount into 3 instalments without interest.",
    ),
    ArticleUpserted(
        article_id="a-shipping",
        language="en",
        title="What shipping costs",
        body="Standard shipping costs €4.90. Express shipping costs €9.90 and arrives on the next working day.",
    ),
)
SHOE = ProductUpserted(product_id="p-1", title={"en": "Fernhill Trail Runner", "zh": "云岭越野跑鞋"})

MOODS = FakeClassifier({"sentiment": {"negative": ["furious", "气死"], "neutral": [], "positive": ["love", "喜欢"]}})


def few_examples() -> Understanding:
    """The rules in full, and of each intent so many examples as make learning a matter of milliseconds."""
    told = Understanding.load()
    of: dict[str, list[tuple[str, str]]] = {}
    for text, intent in told.examples:
        of.setdefault(intent, []).append((text, intent))
    told.examples = [pair for pairs in of.values() for pair in pairs[:6]]
    return told


def order(order_id: str, customer_id: str = "c-1", **more: Any) -> OrderUpdated:
    fields: dict[str, Any] = {"status": "shipped", "placed_at": BEGIN, "updated_at": BEGIN} | more
    return OrderUpdated(order_id=order_id, customer_id=customer_id, **fields)


def says(text: str, message_id: str = "m-1", **more: Any) -> ChatMessage:
    fields: dict[str, Any] = {"conversation_id": "t-1", "customer_id": "c-1"} | more
    return ChatMessage(message_id=message_id, text=text, **fields)


@dataclass
class InMemory:
    """`Memory`, `VectorCache` and what Kafka took; `down` takes all of Redis away."""

    conversations: dict[tuple[str, str], Conversation] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    vectors: dict[tuple[str, str], Float32] = field(default_factory=dict)
    down: bool = False

    def _check(self) -> None:
        if self.down:
            raise UnavailableError("redis: gone")

    async def recall(self, tenant: str, conversation_id: str, reply_id: str) -> tuple[Conversation, Outcome | None]:
        self._check()
        empty = Conversation(tenant, conversation_id)
        return self.conversations.get((tenant, conversation_id), empty), self.outcomes.get(reply_id)

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
        self._check()
        place = conversation.tenant, conversation.id
        now = self.conversations.get(place, Conversation(*place))
        known = now if aside and place in self.conversations else conversation
        after = replace(known, turns=now.turns[fold:]).plus(*new)
        answers = now.with_person if with_person is None else with_person
        self.conversations[place] = replace(after, turns=after.turns[-20:], with_person=answers)
        if done is not None:
            self.outcomes[done.reply.reply_id] = done

    async def read(self, tenant: str, model: str, keys: Sequence[str]) -> dict[str, Float32]:
        self._check()
        return {key: self.vectors[model, key] for key in keys if (model, key) in self.vectors}

    async def write(self, tenant: str, model: str, vectors: Mapping[str, Float32]) -> None:
        self._check()
        self.vectors |= {(model, key): vector for key, vector in vectors.items()}


@dataclass
class OrderBook:
    orders: list[OrderUpdated] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    kept: list[Mapping[str, OrderUpdated | None]] = field(default_factory=list)
    down: bool = False

    async def of_customer(self, tenant: str, customer_id: str) -> list[OrderUpdated]:
        if self.down:
            raise UnavailableError("redis: gone")
        self.asked.append(customer_id)
        return [one for one in self.orders if one.customer_id == customer_id]

    async def keep(self, tenant: str, changes: Mapping[str, OrderUpdated | None]) -> None:
        self.kept.append(changes)


@dataclass
class Shop:
    """What `Recommender` answers: the shoe, and a product that the catalogue has lost."""

    failure: RapportError | None = None
    asked: list[tuple[str | None, str]] = field(default_factory=list)
    known_needs: tuple[str, ...] = ()

    async def needs(self, tenant: str, customer_id: str) -> tuple[str, ...]:
        return self.known_needs

    async def recommend(self, tenant: str, customer_id: str | None, language: str, limit: int) -> RecommendationMade:
        if self.failure is not None:
            raise self.failure
        self.asked.append((customer_id, language))
        return RecommendationMade(
            recommendation_id="r-1",
            customer_id=customer_id or "unknown",
            strategy="personalised",
            items=(
                RankedItem(product_id="gone", score=0.9),
                RankedItem(product_id="p-1", score=0.8, reasons=(Reason(kind="need", text="fits your trail runs"),)),
            ),
            created_at=BEGIN,
            expires_at=BEGIN,
        )


@dataclass
class Published:
    outgoings: list[Outgoing] = field(default_factory=list)
    failure: RapportError | None = None
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What else happens while Kafka takes the next batch."""

    async def send_many(self, outgoings: Sequence[Outgoing]) -> None:
        if self.failure is not None:
            raise self.failure
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        self.outgoings.extend(outgoings)


@dataclass
class Pointing:
    """`ShortAnswers`: points at `words` where a passage has them."""

    words: str = ""

    async def find(self, question: str, passage: str) -> tuple[int, int] | None:
        start = passage.find(self.words) if self.words else -1
        return None if start < 0 else (start, start + len(self.words))


FLOWS = Flows.load()
"""Read once: compiling the rules takes longer than a test."""


class Bot:
    """The handlers with their fakes."""

    def __init__(
        self,
        generator: FakeGenerator | None = None,
        flows: Flows | None = None,
        understanding: Understanding | None = None,
        real: Encoder | None = None,
    ) -> None:
        """`real`: an encoder instead of the fake."""
        self.memory, self.book, self.shop, self.published = InMemory(), OrderBook(), Shop(), Published()
        self.encoder, self.catalog, self.short = FakeEncoder(), ShopCatalog(), Pointing()
        self.mind = Mind(
            Library(Background.load()),
            Phrases.load(),
            understanding or few_examples(),
            Manner(),
            flows or FLOWS,
            Acts.load(),
            Words.load(),
        )
        encoder = real or self.encoder
        self.ports = Ports(
            Reader(encoder, MOODS, self.mind.understanding, timeout_s=3.0),
            Articles(self.mind, self.short, generator),
            self.memory,
            self.book,
            encoder,
            self.memory,
            self.shop,
            self.catalog,
            self.shop,
            rails_of(ChatbotSection(), self.mind, encoder),
        )
        self.offset = 0

    async def open(self) -> Bot:
        """Articles and catalogue are read and embedded."""
        on_articles(received(*ARTICLES), self.mind.library)
        await self.catalog.apply(received(SHOE))
        await learn(self.ports, self.mind)
        return self

    async def hear(self, *said: ChatMessage) -> list[Outgoing]:
        """The messages come on Kafka, in one batch."""
        batch = received(*said, first_offset=self.offset)
        self.offset += len(said)
        return await on_chat_messages(batch, self.ports, self.mind, 4)

    async def again(self, said: ChatMessage, offset: int) -> list[Outgoing]:
        """The message is read at `offset`, be it a second time."""
        return await on_chat_messages([message(said, offset)], self.ports, self.mind, 4)

    async def reply(self, text: str, message_id: str = "m-1", **more: Any) -> ChatReply:
        [outgoing, *_] = await self.hear(says(text, message_id, **more))
        assert isinstance(outgoing.event, ChatReply)
        return outgoing.event

    def converse(self, said: ChatMessage) -> AsyncIterator[str | ChatReply]:
        at = datetime(2026, 3, 5, 10, tzinfo=UTC)
        return converse(said, "default", at, self.ports, self.mind, self.published)


@pytest.fixture
async def bot() -> Bot:
    return await Bot().open()
