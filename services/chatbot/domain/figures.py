"""How the chatbot does in use: containment, hand-offs, refusals, thumbs, and what it could not answer."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from rapport.events.base import Event
from rapport.events.chat import ChatFeedback, ChatMessage, ChatReply, HandoffRequested
from rapport.events.profiles import InsightFound
from services.chatbot.domain.shelf import Float32

# Cosine, less what any two texts have in common, from which two questions ask the same. Of "do you have a shop in
# Lisbon" and its like 0.6, of unrelated questions below 0.3.
_SAME = 0.45
# Questions shown of each group, and message ids as evidence.
_SHOWN = 10


@dataclass
class Tally:
    """What was counted in a period."""

    since: datetime
    until: datetime
    conversations: set[str] = field(default_factory=set)
    handed_over: dict[str, str] = field(default_factory=dict)
    """Reason of the first hand-off, by conversation."""
    actions: Counter[str] = field(default_factory=Counter)
    thumbs: dict[str, str] = field(default_factory=dict)
    unanswered: list[ChatMessage] = field(default_factory=list)

    def share(self, part: int, of: int) -> float:
        return round(part / of, 4) if of else 0.0


def tally(events: Iterable[tuple[datetime, Event]], since: datetime, until: datetime) -> Tally:
    """Counts the chat topics' events from `since` up to `until`."""
    counted, said = Tally(since, until), dict[str, ChatMessage]()
    missed: list[str] = []
    for at, event in events:
        if not since <= at < until:
            continue
        if isinstance(event, ChatMessage) and event.role == "customer":
            counted.conversations.add(event.conversation_id)
            said[event.message_id] = event
        elif isinstance(event, ChatReply):
            counted.actions[event.action] += 1
            unsure = event.action == "refuse" and event.flow is None
            if unsure or (event.action == "handoff" and event.intent in ("knowledge", "out_of_scope")):
                missed.append(event.in_reply_to)
        elif isinstance(event, HandoffRequested):
            counted.handed_over.setdefault(event.conversation_id, event.reason)
        elif isinstance(event, ChatFeedback):
            counted.thumbs[event.reply_id] = event.rating
    counted.unanswered = [said[message_id] for message_id in missed if message_id in said]
    return counted


def groups(vectors: Float32, background: Float32) -> list[list[int]]:
    """Rows of unit `vectors` [n, d] that ask the same, largest group first; each row is in one.

    Encoders give any two texts a good deal in common: the mean of `background` [m, d] is taken out first.
    """
    centred = vectors - background.mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    cosines = centred @ centred.T
    found: list[list[int]] = []
    for row in range(len(vectors)):
        nearness = [float(cosines[row, group].mean()) for group in found]
        if nearness and max(nearness) >= _SAME:
            found[int(np.argmax(nearness))].append(row)
        else:
            found.append([row])
    return sorted(found, key=len, reverse=True)


def in_use(counted: Tally, tenant: str) -> InsightFound:
    """The period's figures as one finding."""
    whole, replies = len(counted.conversations), counted.actions.total()
    handed = len(counted.handed_over.keys() & counted.conversations)
    data: dict[str, Any] = {
        "conversations": whole,
        "containment": counted.share(whole - handed, whole),
        "handoff_rate": counted.share(handed, whole),
        "handoff_reasons": dict(Counter(counted.handed_over.values())),
        "refusal_rate": counted.share(counted.actions["refuse"], replies),
        "replies": dict(counted.actions),
        "thumbs": dict(Counter(counted.thumbs.values())),
    }
    sentence = (
        f"Of {whole} conversations {data['containment']:.0%} needed no person; {data['refusal_rate']:.0%} of "
        f"{replies} replies said that the answer is not known."
    )
    return _insight(counted, tenant, "chat:use", "chat_containment", sentence, float(whole), data, ())


def gap(counted: Tally, tenant: str, group: Sequence[ChatMessage], title: str) -> InsightFound:
    """Questions that nobody answered, as an article to write. `title`: the question that stands for the group."""
    data = {"suggested_title": title, "questions": list(dict.fromkeys(one.text for one in group))[:_SHOWN]}
    sentence = f'{len(group)} customers asked what no article answers, for example: "{title}"'
    subject = f"chat:gap:{uuid.uuid5(uuid.NAMESPACE_OID, title)}"
    ids = tuple(one.message_id for one in group[:_SHOWN])
    return _insight(counted, tenant, subject, "chat_gap", sentence, float(len(group)), data, ids)


def middle(vectors: Float32) -> int:
    """The row that is nearest to all: the one to show for its group."""
    return int(np.argmax((vectors @ vectors.T).sum(axis=1)))


def _insight(
    counted: Tally,
    tenant: str,
    subject: str,
    kind: str,
    sentence: str,
    size: float,
    data: dict[str, Any],
    evidence: tuple[str, ...],
) -> InsightFound:
    name = f"{tenant} {kind} {subject} {counted.since.isoformat()}"
    return InsightFound(
        # Every replica finds the same: one event to whoever reads it.
        insight_id=str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
        subject=subject,
        kind=kind,
        sentence=sentence,
        size=size,
        confidence=1.0,
        period_start=counted.since,
        period_end=counted.until,
        evidence=evidence,
        data=data,
    )
