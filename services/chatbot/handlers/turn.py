"""One message with everything that may be looked up for it, each at most once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from rapport.events.catalog import ProductUpserted
from rapport.events.chat import ChatMessage
from rapport.events.orders import OrderActionRequested, OrderUpdated
from rapport.ops.errors import RetryableError
from rapport.text.normalise import normalise
from services.chatbot.domain import orders as order_talk
from services.chatbot.domain.conversation import Conversation
from services.chatbot.domain.dialogue import Dialogue, Slots
from services.chatbot.domain.draft import Draft
from services.chatbot.domain.languages import Language, reply_language
from services.chatbot.domain.reading import Context, Reading
from services.chatbot.flows.around import Around
from services.chatbot.flows.command import command
from services.chatbot.flows.engine import Engine, Step
from services.chatbot.flows.spec import Flow
from services.chatbot.handlers.likeness import alike
from services.chatbot.mind import Mind
from services.chatbot.ports import Ports

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """A customer's message and what is known around it."""

    message: ChatMessage
    conversation: Conversation
    language: Language
    at: datetime


def heard(message: ChatMessage, conversation: Conversation, mind: Mind, at: datetime) -> Heard:
    hint = message.language or ""
    language = reply_language(message.text, hint, conversation.language, mind.manner.default_language)
    return Heard(message, conversation, language, at)


class Turn:
    """What the answer to one message is made from."""

    def __init__(self, what: Heard, ports: Ports, mind: Mind) -> None:
        self.what, self.ports, self.mind = what, ports, mind
        self.text = normalise(what.message.text)
        self.language = what.language
        self.lead = ""
        """What stands before the answer."""
        self._own: order_talk.Own | None = None
        self._needs: tuple[str, ...] | None = None

    @property
    def tenant(self) -> str:
        return self.what.conversation.tenant

    @property
    def dialogue(self) -> Dialogue:
        return self.what.conversation.dialogue

    def say(self, phrase: str, **slots: object) -> str:
        return self.mind.phrases.say(phrase, self.language, **slots)

    async def own(self) -> order_talk.Own:
        """The orders of the customer that the caller's token names; whatever the text says, nobody else's are read."""
        if self._own is None:
            self._own = await self._read_orders()
        return self._own

    async def _read_orders(self) -> order_talk.Own:
        customer_id = self.what.message.customer_id
        if customer_id is None:
            return order_talk.Own(trouble="sign_in")
        try:
            return order_talk.Own(tuple(await self.ports.orders.of_customer(self.tenant, customer_id)))
        except RetryableError as error:
            log.warning("orders cannot be read", error=str(error))
            return order_talk.Own(trouble="orders_unavailable")

    async def needs(self) -> tuple[str, ...]:
        """What the profile says the customer looks for, strongest first."""
        customer_id = self.what.message.customer_id
        if self._needs is None:
            self._needs = await self.ports.profiles.needs(self.tenant, customer_id) if customer_id else ()
        return self._needs

    def context(self) -> Context:
        """For understanding and knowledge."""
        return Context(self.what.conversation, self.language, self.what.message.language or "")

    async def read(self, text: str) -> Reading:
        return await self.ports.understanding.read(text, self.context())

    async def engine(self, dialogue: Dialogue, naming: str = "") -> Engine:
        """The flows, on the orders as they are now. `naming`: a text that may name goods in words of its own."""
        around = await self.around(dialogue, naming)
        return Engine(around, self.mind.acts, self.mind.phrases, self._command)

    async def around(self, dialogue: Dialogue, naming: str = "") -> Around:
        """What requests are filled and checked against, as it is now."""
        orders = sorted((await self.own()).orders, key=lambda one: (one.placed_at, one.order_id), reverse=True)
        products = self._products(orders)
        return Around(
            self.mind.flows,
            tuple(orders),
            products,
            lambda group: self.ports.products.variants(self.tenant, group),
            self.what.at,
            self.language,
            dialogue,
            await self._alike(naming, orders, products) if naming else None,
        )

    def _command(self, order: OrderUpdated, flow: Flow, slots: Slots) -> OrderActionRequested:
        message = self.what.message
        return command(
            self.tenant,
            order,
            flow,
            slots,
            at=self.what.at,
            conversation_id=message.conversation_id,
            message_id=message.message_id,
        )

    async def _alike(
        self, text: str, orders: Sequence[OrderUpdated], products: Mapping[str, ProductUpserted]
    ) -> str | None:
        names = {line.product_id: line.name or "" for order in orders for line in order.lines}
        titles = {id_: " ".join(products[id_].title.values()) for id_ in names if id_ in products}
        timeout_s = self.mind.manner.encoder_timeout_s
        return await alike(text, names | titles, self.tenant, self.mind.library, self.ports.encoder, timeout_s)

    def _products(self, orders: Sequence[OrderUpdated]) -> dict[str, ProductUpserted]:
        """The products of the orders, and their variants."""
        ids = {line.product_id for order in orders for line in order.lines}
        products = self.ports.products.named(self.tenant, sorted(ids))
        groups = {product.group_id for product in products.values() if product.group_id is not None}
        for group in sorted(groups):
            products |= {one.product_id: one for one in self.ports.products.variants(self.tenant, group)}
        return products


def drafted(step: Step) -> Draft:
    """A step of the flows as a reply."""
    return Draft(
        "\n".join(step.texts),
        step.action,
        1.0,
        product_ids=step.product_ids,
        order_id=step.order_id,
        offer=step.offer,
        flow=step.flow,
        asks=step.asks,
        choices=step.choices,
        commands=step.commands,
        handoff=step.handoff,
        dialogue=step.dialogue,
    )
