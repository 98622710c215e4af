"""What the chatbot's handlers need from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rapport.events.catalog import ProductUpserted
from rapport.events.orders import OrderUpdated
from rapport.events.recommendations import RecommendationMade
from rapport.serving.client import Classified, Embedded, Piece, Priority, Role, Turn
from services.chatbot.domain.conversation import Conversation
from services.chatbot.domain.conversation import Turn as Said
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.outcome import Outcome
from services.chatbot.domain.reading import Context, Reading
from services.chatbot.domain.shelf import Float32
from services.chatbot.safety.rails import Rails


class Understanding(Protocol):
    async def read(self, text: str, context: Context) -> Reading:
        """What `text` says. Raises nothing retryable: with the encoder away, rules alone decide."""


class Knowledge(Protocol):
    """What the shop's articles say."""

    def answer(self, question: Reading, context: Context) -> AsyncIterator[str | Draft]:
        """Pieces of generated text as they are checked (none when it is a quotation), then exactly one draft: an answer
        with its sources, or a refusal that offers a person."""

    def fits(self, question: Reading, context: Context) -> float:
        """P(a | q) of the best article; 0 when there is none, or it would not be answered by it."""


class Memory(Protocol):
    """Conversations and what became of their messages. Every method raises `UnavailableError`."""

    async def recall(self, tenant: str, conversation_id: str, reply_id: str) -> tuple[Conversation, Outcome | None]:
        """The conversation so far (empty when unknown), and the outcome that has `reply_id`, if any."""

    async def remember(
        self,
        conversation: Conversation,
        new: Sequence[Said],
        done: Outcome | None = None,
        *,
        fold: int = 0,
        aside: bool = False,
        with_person: bool | None = None,
    ) -> None:
        """Adds `new` turns, forgets the oldest `fold`, keeps the state and the outcome, all in one round trip.

        `aside`: the turns alone; the state that is known by now stays. `with_person`: who answers from now on; None:
        whoever answers by now, which need not be what `conversation` says, for somebody may have taken it over since.
        """


class Orders(Protocol):
    """The newest state of every order. Every method raises `UnavailableError`."""

    async def of_customer(self, tenant: str, customer_id: str) -> list[OrderUpdated]:
        """The customer's own orders, in no order."""

    async def keep(self, tenant: str, changes: Mapping[str, OrderUpdated | None]) -> None:
        """Takes over, by order id, states that are not older than the one kept; None forgets the order."""


class Encoder(Protocol):
    """Unit vectors of texts. `rapport.serving.client.EncoderClient` is one."""

    async def embed(
        self,
        texts: Sequence[str],
        *,
        role: Role = ...,
        priority: Priority = ...,
        timeout_s: float | None = ...,
    ) -> Embedded: ...


class Classifier(Protocol):
    """Label probabilities. `rapport.serving.client.ClassifierClient` is one."""

    async def classify(
        self, task: str, texts: Sequence[str], *, priority: Priority = ..., timeout_s: float | None = ...
    ) -> Classified: ...


class VectorCache(Protocol):
    """Vectors by content key, so that a restart embeds nothing anew. Every method raises `UnavailableError`."""

    async def read(self, tenant: str, model: str, keys: Sequence[str]) -> dict[str, Float32]:
        """Those that are there for exactly this model."""

    async def write(self, tenant: str, model: str, vectors: Mapping[str, Float32]) -> None: ...


class ShortAnswers(Protocol):
    async def find(self, question: str, passage: str) -> tuple[int, int] | None:
        """The words of `passage` that answer: first character, and one past. None when nothing tells, or not surely."""


class Recommender(Protocol):
    async def recommend(self, tenant: str, customer_id: str | None, language: str, limit: int) -> RecommendationMade:
        """What to show, with reasons in `language`. Raises the retryable errors when the recommender is down."""


class Generator(Protocol):
    """Words an answer. `rapport.serving.client.GeneratorClient` is one."""

    def generate(
        self, messages: Sequence[Turn], *, max_tokens: int = ..., timeout_s: float | None = ...
    ) -> AsyncIterator[Piece]: ...


class Products(Protocol):
    def named(self, tenant: str, product_ids: Sequence[str]) -> dict[str, ProductUpserted]:
        """Those of `product_ids` that are in the catalogue."""

    def variants(self, tenant: str, group_id: str) -> Sequence[ProductUpserted]:
        """The products of a group, on sale or not."""

    def search(self, tenant: str, query: str) -> Sequence[tuple[ProductUpserted, float]]:
        """Products on sale that share words with `query`, and how well each fits (0 to 1), in no order."""


class Profiles(Protocol):
    async def needs(self, tenant: str, customer_id: str) -> tuple[str, ...]:
        """Labels of what the customer looks for now, strongest first. Nothing known, or no answer in time: none."""


@dataclass(frozen=True, slots=True)
class Ports:
    understanding: Understanding
    knowledge: Knowledge
    memory: Memory
    orders: Orders
    encoder: Encoder
    vectors: VectorCache
    recommender: Recommender
    products: Products
    profiles: Profiles
    rails: Rails
