"""Several requests in one message, one part each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.chatbot.domain.understanding import plain_form
from services.chatbot.flows.acts import Acts
from services.chatbot.flows.spec import Flows

# A new request may begin after the end of a sentence, or after "and", "also", 另外 before something that opens one.
_CUTS = re.compile(
    r"(?<=[.!?])\s+|[。！？；;\n]+|"
    r"[,，]?\s*\b(?:and also|and then|also|and|then|plus|additionally|besides|oh and)\b[, ]+"
    r"(?=(?:also )?(?:i(?:'d| )|can |could |please|tell me|where|what|when|how|is |do |does |cancel|return|send|"
    r"exchange|swap|refund|change|update|track|find|show|recommend))|"
    r"[,，]\s*(?=(?:cancel|return|exchange|swap|refund|change|update|track|where|how|what)\b)|"
    r"[,，]\s*(?=(?:请|帮我|我想|我要)?(?:退货|退款|换货|换成|取消|改地址|修改地址|查一?下))|"
    r"[,，]?\s*(?:另外|还有|顺便|然后|同时|再(?=帮|把|退|换|查|取消|问))[,，]?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Request:
    """A part of a message. `name`: the flow or intent that its words ask for outright; None: a question."""

    text: str
    name: str | None


def split(text: str, flows: Flows, acts: Acts, by_rule: Callable[[str], str | None]) -> list[Request]:
    """The requests of a message, as far as exact words tell; what belongs to a neighbour is joined to it.

    One request, or none that the words tell, comes back as one part: the whole text, under the name that
    a part of it tells.
    """
    parts = [part.strip() for part in _CUTS.split(text) if part and part.strip()]
    named: list[Request] = []
    waiting = ""
    for part in parts:
        name = request_of(part, flows, by_rule)
        question = name is None and acts.has("question", part)
        if name is None and not question:
            if named:
                named[-1] = Request(f"{named[-1].text}. {part}", named[-1].name)
            else:
                waiting = f"{waiting} {part}".strip()
            continue
        if named and named[-1].name == name and name is not None:
            named[-1] = Request(f"{named[-1].text}. {part}", name)
            continue
        named.append(Request(f"{waiting}. {part}" if waiting else part, name))
        waiting = ""
    if len({one.name for one in named if one.name}) + sum(one.name is None for one in named) < 2 or not _worth(named):
        told = next((one.name for one in named if one.name is not None), None)
        return [Request(text, request_of(text, flows, by_rule) or told)]
    return named


def request_of(text: str, flows: Flows, by_rule: Callable[[str], str | None]) -> str | None:
    """The flow or intent whose exact words are in the text."""
    flow = flows.started_by(plain_form(text))
    if flow is not None:
        return flow.name
    name = by_rule(text)
    # What changes an order begins with words of its own only.
    return None if name in flows.flows and not flows.flows[name].telling else name


def _worth(named: list[Request]) -> bool:
    """Two questions are read as one: the articles may answer them together."""
    return any(one.name is not None for one in named)
