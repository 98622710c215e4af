"""Conversations: what a visitor asks in the chat, and what the right answer would be about."""

from __future__ import annotations

from rapport.events.chat import ChatMessage
from services.demo.domain.journal import Journal
from services.demo.domain.world import World

_THANKS = 0.4
# What people write about; order status only where there is an order.
_SUBJECTS = {"article": 0.5, "order_status": 0.25, "recommend": 0.15, "person": 0.05, "unanswerable": 0.05}


def talk(world: World, journal: Journal, order_ids: list[str]) -> dict[str, str]:
    """One to two messages. Gives what each is about, by message id: an article's id, or a subject."""
    dice = journal.dice
    subjects = dict(_SUBJECTS)
    if not order_ids or not journal.known:
        del subjects["order_status"]
    subject = dice.choices(list(subjects), list(subjects.values()))[0]
    about: dict[str, str] = {}
    if subject == "article":
        topic = dice.choice(list(world.phrases.questions))
        text = dice.choice(world.phrases.questions[topic][journal.shopper.language])
        about[_say(journal, text)] = f"help-{topic}"
    else:
        text = dice.choice(world.phrases.chat[subject][journal.shopper.language])
        kind = world.catalog.kinds[journal.kinds[-1]].name[journal.shopper.language].lower()
        order = dice.choice(order_ids) if order_ids else ""
        about[_say(journal, text.format(kind=kind, order=order))] = subject
    if dice.random() < _THANKS:
        about[_say(journal, dice.choice(world.phrases.chat["thanks"][journal.shopper.language]))] = "thanks"
    return about


def _say(journal: Journal, text: str) -> str:
    journal.pause(25)
    conversation_id = f"v-{journal.visit_id}"
    event = ChatMessage(
        occurred_at=journal.now,
        conversation_id=conversation_id,
        message_id=f"m-{journal.visit_id}-{len(journal.events)}",
        customer_id=journal.shopper.customer_id if journal.known else None,
        text=text,
        language=journal.shopper.locale,
    )
    journal.put("chat.messages.v1", conversation_id, event)
    return event.message_id
