"""Orders and articles in."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.bus.messages import Message
from rapport.events.knowledge import ArticleUpserted
from rapport.events.orders import OrderUpdated
from services.chatbot.domain.library import Library
from services.chatbot.ports import Ports


async def on_order_updates(messages: Sequence[Message], ports: Ports) -> None:
    """Keeps the newest state of every order. Raises `UnavailableError`."""
    by_tenant: dict[str, dict[str, OrderUpdated | None]] = {}
    for message in messages:
        event = message.event
        if event is not None and not isinstance(event, OrderUpdated):
            continue
        changes = by_tenant.setdefault(message.envelope.tenant, {})
        before = changes.get(message.key)
        if event is None or before is None or event.updated_at >= before.updated_at:
            changes[message.key] = event
    for tenant, changes in by_tenant.items():
        await ports.orders.keep(tenant, changes)


def on_articles(messages: Sequence[Message], library: Library) -> None:
    """Shelves articles and withdraws those whose value is null."""
    for message in messages:
        shelf = library.of(message.envelope.tenant)
        if isinstance(message.event, ArticleUpserted):
            shelf.put(message.event)
        else:
            shelf.withdraw(message.key)
