"""Puts a reply together from its parts, through the rails for what goes out."""

from __future__ import annotations

from dataclasses import replace

from services.chatbot.domain.draft import Draft
from services.chatbot.handlers.turn import Turn

_BETWEEN = "\n\n"


class Composer:
    """Takes the parts of a reply in turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._drafts: list[Draft] = []
        self._shown = ""

    def take(self, part: str | Draft) -> str:
        """What may be shown of the part now: pieces of the first answer, as long as nothing stands before it."""
        if isinstance(part, Draft):
            self._drafts.append(self._checked(part))
            return ""
        if self._drafts or self._turn.lead:
            return ""
        verdict = self._turn.ports.rails.let_out(part, self._said())
        self._shown += verdict.text
        return verdict.text

    def whole(self) -> Draft:
        """All parts as one reply. Its action is the first part's, unless a later one acts or calls a person."""
        first, *rest = self._drafts
        if self._shown and not rest:
            return replace(first, text=self._shown)
        whole = first
        for draft in rest:
            whole = _joined(whole, draft)
        texts = [self._turn.lead, *(draft.text for draft in self._drafts)]
        return replace(whole, text=_BETWEEN.join(text for text in texts if text))

    def _checked(self, draft: Draft) -> Draft:
        quotes = " ".join(source.quote for source in draft.sources)
        # What flows say was told by the customer or stands in their order.
        allowed = f"{quotes} {self._said()} {draft.text if draft.model is None else ''}"
        verdict = self._turn.ports.rails.let_out(draft.text, allowed)
        if verdict.rail is None:
            return replace(draft, text=verdict.text)
        return Draft(self._turn.say("withheld"), "blocked", 1.0, offer="handoff")

    def _said(self) -> str:
        turns = self._turn.what.conversation.turns
        return " ".join([self._turn.text, *(turn.text for turn in turns if turn.speaker == "customer")])


def _joined(first: Draft, then: Draft) -> Draft:
    actions = (first.action, then.action)
    decisive = next((action for action in ("handoff", "act", "confirm") if action in actions), first.action)
    return replace(
        first,
        action=decisive,
        sources=(*first.sources, *then.sources),
        product_ids=tuple(dict.fromkeys((*first.product_ids, *then.product_ids))),
        order_id=then.order_id or first.order_id,
        offer=then.offer or first.offer,
        flow=then.flow or first.flow,
        asks=then.asks or first.asks,
        choices=then.choices or first.choices,
        commands=(*first.commands, *then.commands),
        handoff=then.handoff or first.handoff,
        dialogue=then.dialogue or first.dialogue,
    )
