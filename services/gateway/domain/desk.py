"""The support desk: conversations that a person is needed for, put together from the chat topics."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from rapport.events.base import Event
from rapport.events.chat import ChatMessage, ChatReply, HandoffRequested

State = Literal["waiting", "taken", "closed"]
Json = dict[str, Any]
# Conversations held: some days of a busy shop. Those that nobody waits in go first.
_MOST = 5000
# Lines held of each; a hand-off's transcript brings those before.
_LINES = 200
_BEGIN = datetime.min.replace(tzinfo=UTC)


@dataclass
class Case:
    """One conversation. What comes on three topics comes in any order, so everything is told by its time."""

    conversation_id: str
    customer_id: str | None = None
    handoff: HandoffRequested | None = None
    handoff_at: datetime = _BEGIN
    agent_at: datetime = _BEGIN
    """Last message of a person."""
    handed_back_at: datetime = _BEGIN
    lines: dict[str, Json] = field(default_factory=dict)
    """By message or reply id."""

    @property
    def state(self) -> State:
        if self.handoff is None and self.agent_at == _BEGIN:
            return "closed"
        if self.handed_back_at >= max(self.handoff_at, self.agent_at):
            return "closed"
        return "taken" if self.agent_at >= self.handoff_at else "waiting"

    def summary(self) -> Json:
        """For the list."""
        told: Json = {"conversation_id": self.conversation_id, "state": self.state, "customer_id": self.customer_id}
        if self.handoff is not None:
            kept = ("handoff_id", "reason", "summary", "suggested_reply", "language", "order_ids", "needs")
            event = self.handoff.model_dump(mode="json", exclude_none=True)
            told |= {name: event[name] for name in kept if name in event}
            told["since"] = self.handoff_at.isoformat()
        return told

    def whole(self) -> Json:
        """With everything said, oldest first."""
        transcript = sorted(self.lines.values(), key=lambda line: line["at"])
        return {**self.summary(), "lines": transcript}


class Desk:
    """All cases, by tenant and conversation."""

    def __init__(self) -> None:
        self._cases: OrderedDict[tuple[str, str], Case] = OrderedDict()

    def take(self, tenant: str, event: Event, at: datetime) -> None:
        """Puts one event of the chat topics where it belongs."""
        if isinstance(event, HandoffRequested):
            self._called(self._case(tenant, event.conversation_id), event, event.occurred_at or at)
        elif isinstance(event, ChatMessage):
            self._said(self._case(tenant, event.conversation_id), event, event.occurred_at or at)
        elif isinstance(event, ChatReply) and event.text:
            case = self._case(tenant, event.conversation_id)
            _line(case, event.reply_id, "bot", event.text, event.occurred_at or at, action=event.action)

    def waiting(self, tenant: str, states: Sequence[State]) -> list[Json]:
        """Cases in these states, who waits longest first."""
        found = [case for (owner, _), case in self._cases.items() if owner == tenant and case.state in states]
        return [case.summary() for case in sorted(found, key=lambda case: case.handoff_at)]

    def case(self, tenant: str, conversation_id: str) -> Case | None:
        return self._cases.get((tenant, conversation_id))

    def _case(self, tenant: str, conversation_id: str) -> Case:
        place = (tenant, conversation_id)
        case = self._cases.setdefault(place, Case(conversation_id))
        self._cases.move_to_end(place)
        if len(self._cases) > _MOST:
            oldest = next((key for key, one in self._cases.items() if one.state == "closed"), next(iter(self._cases)))
            del self._cases[oldest]
        return case

    def _called(self, case: Case, event: HandoffRequested, at: datetime) -> None:
        case.customer_id = case.customer_id or event.customer_id
        if at >= case.handoff_at:
            case.handoff, case.handoff_at = event, at
        known = {(line["role"], line["text"]) for line in case.lines.values()}
        for number, line in enumerate(event.transcript):
            if (line.role, line.text) not in known:
                _line(case, f"{event.handoff_id}:{number}", line.role, line.text, line.at)

    def _said(self, case: Case, event: ChatMessage, at: datetime) -> None:
        case.customer_id = case.customer_id or event.customer_id
        if event.role == "agent":
            case.agent_at = max(case.agent_at, at)
            if event.hands_back:
                case.handed_back_at = max(case.handed_back_at, at)
        _line(case, event.message_id, event.role, event.text, at, agent_id=event.agent_id)


def _line(case: Case, id_: str, role: str, text: str, at: datetime, **more: str | None) -> None:
    # A transcript has it without its id: the one with the id takes its place.
    twin = next(
        (key for key, one in case.lines.items() if ":" in key and (one["role"], one["text"]) == (role, text)), ""
    )
    case.lines.pop(twin, None)
    case.lines[id_] = {"id": id_, "role": role, "text": text, "at": at.isoformat()} | {
        name: value for name, value in more.items() if value
    }
    if len(case.lines) > _LINES:
        del case.lines[min(case.lines, key=lambda key: case.lines[key]["at"])]
