"""The approval step: drafts wait until a person says yes or no, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rapport.bus.messages import Message, Outgoing
from rapport.events.content import ContentDrafted
from rapport.ops.errors import InvalidRequest, NotFound, StateConflict
from services.content.handlers.outgoing import drafted, going_out
from services.content.ports import Decisions

_STATUS = {"approve": "approved", "reject": "rejected"}


@dataclass(slots=True)
class Drafts:
    """content.drafts.v1 in memory."""

    _drafts: dict[tuple[str, str], ContentDrafted] = field(default_factory=dict)

    async def apply(self, messages: Sequence[Message]) -> None:
        for message in messages:
            place = (message.envelope.tenant, message.key)
            known = self._drafts.get(place)
            if not isinstance(message.event, ContentDrafted):
                self._drafts.pop(place, None)
            elif known is None or known.status == "pending" or message.event.status != "pending":
                # A brief that is sent again is drafted again; what was decided stays decided.
                self._drafts[place] = message.event

    def get(self, tenant: str, content_id: str) -> ContentDrafted:
        """Raises `NotFound`."""
        found = self._drafts.get((tenant, content_id))
        if found is None:
            raise NotFound(f"no draft {content_id!r}", field="content_id")
        return found

    def find(self, tenant: str, content_id: str) -> ContentDrafted | None:
        return self._drafts.get((tenant, content_id))

    def listed(self, tenant: str, status: str, limit: int) -> list[ContentDrafted]:
        """Newest first."""
        found = [draft for (owner, _), draft in self._drafts.items() if owner == tenant and draft.status == status]
        return sorted(found, key=lambda draft: draft.created_at, reverse=True)[:limit]


@dataclass(frozen=True, slots=True)
class ReviewHandlers:
    drafts: Drafts
    decisions: Decisions
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def review(
        self, tenant: str, content_id: str, decision: str, by: str, reason: str
    ) -> tuple[ContentDrafted, Sequence[Outgoing]]:
        """The draft after the decision, and what to publish. The same decision twice is one.

        Raises `NotFound`, `InvalidRequest` naming the field, or `StateConflict` when it was decided otherwise.
        """
        if decision not in _STATUS:
            raise InvalidRequest(f"no decision {decision!r}", field="decision", fix=f"one of {', '.join(_STATUS)}")
        if not by.strip():
            raise InvalidRequest("who decides must be named", field="by")
        if decision == "reject" and not reason.strip():
            raise InvalidRequest("a rejection needs a reason", field="reason")
        draft = self.drafts.get(tenant, content_id)
        status = _STATUS[decision]
        standing = (
            await self.decisions.decide(tenant, content_id, status) if draft.status == "pending" else draft.status
        )
        if standing != status:
            raise StateConflict(f"already {standing}", field="content_id")
        if draft.status == status:
            return draft, ()
        now = self.clock()
        decided = draft.model_copy(update={"status": status, "by": by, "reason": reason or None, "decided_at": now})
        outgoing = [drafted(decided, tenant)]
        if status == "approved":
            content = draft.content.model_copy(update={"approved_by": by})
            outgoing = [*going_out(content, draft.experiment, tenant, now), *outgoing]
        return decided, outgoing
