"""Everything the analyst knows: events in, findings out. Plain: models are asked by whoever calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapport.bus.messages import Message
from rapport.events.behaviour import (
    Behaviour,
    ItemClicked,
    OrderCompleted,
    ProductAdded,
    ProductClicked,
    ProductReviewed,
    ProductsSearched,
    ProductViewed,
)
from rapport.events.chat import ChatMessage
from rapport.events.profiles import SegmentChanged
from services.profiler.domain.background import Background, Vector
from services.profiler.domain.reading import stage_of
from services.profiler.insights.demand import Demand, Stock
from services.profiler.insights.drift import Drift
from services.profiler.insights.finding import Finding, Windows
from services.profiler.insights.funnel import Funnel
from services.profiler.insights.opinions import Opinions
from services.profiler.insights.searches import Searches
from services.profiler.insights.topics import Topics

# Texts that wait for the models; a shop that says more between two rounds is sampled by its newest.
_MOST_WAITING = 5_000
_MOST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a customer. `product`: what is reviewed; "" otherwise. `judged`: it has a tone worth knowing."""

    who: str
    text: str
    at: int
    event_id: str
    product: str = ""
    judged: bool = False


class Analysis:
    """One tenant's."""

    def __init__(self, tenant: str, session_gap_ms: int) -> None:
        self._tenant = tenant
        self.funnel, self.searches = Funnel(session_gap_ms), Searches()
        self.opinions, self.demand, self.drift, self.topics = Opinions(), Demand(), Drift(), Topics()
        self.waiting: deque[Text] = deque(maxlen=_MOST_WAITING)
        self.now = 0
        """The newest event time."""

    def take(self, messages: Sequence[Message]) -> None:
        """Events of clickstream.v1, chat.messages.v1 and segments.v1, those of other tenants left out."""
        for message in messages:
            event, envelope = message.event, message.envelope
            if envelope.tenant != self._tenant or event is None:
                continue
            # A clock that runs ahead would make everything else old.
            at = min(int((event.occurred_at or envelope.time).timestamp() * 1000), message.timestamp_ms)
            self.now = max(self.now, at)
            if isinstance(event, Behaviour):
                self._behaviour(event, at, envelope.id)
            elif isinstance(event, ChatMessage) and event.role == "customer":
                who = event.customer_id or event.conversation_id
                self.waiting.append(Text(who, event.text[:_MOST_TEXT], at, envelope.id, judged=True))
            # Without a model's version it was an identity merge that moved them: no drift.
            elif isinstance(event, SegmentChanged) and event.segment_id and event.family and event.model_version:
                self.drift.move(
                    event.family,
                    event.segment_id,
                    event.segment,
                    event.change,
                    event.model_version,
                    at,
                    envelope.id,
                )

    def read(self, text: Text, vector: Vector, background: Background, tones: Mapping[str, float]) -> None:
        """What the models say of a text that waited. `tones`: by aspect, of the text as a whole under ""."""
        self.topics.hear(text.text, vector, background, text.who, text.at, text.event_id)
        for aspect, tone in tones.items():
            if aspect:
                self.opinions.hear(f"aspect:{aspect}", text.at, tone, text.event_id)
            if text.product:
                subject = f"product:{text.product}{':' if aspect else ''}{aspect}"
                self.opinions.hear(subject, text.at, tone, text.event_id)

    def findings(self, windows: Windows, stock: Stock) -> Iterator[Finding]:
        """All that holds at the end of `windows`."""
        self.funnel.close(windows.now)
        self.searches.close(windows.now)
        yield from self.searches.findings(windows)
        yield from self.demand.findings(windows, stock)
        yield from self.opinions.findings(windows)
        yield from self.funnel.findings(windows)
        yield from self.topics.findings(windows)
        yield from self.drift.findings(windows)

    def forget(self, before: int) -> None:
        """Drops what no window reaches any more."""
        for part in (self.funnel, self.searches, self.opinions, self.demand, self.drift, self.topics):
            part.forget(before)

    def _behaviour(self, event: Behaviour, at: int, event_id: str) -> None:
        who, context = event.subject, event.context
        session = event.session_id or who
        self.funnel.see(session, at, stage_of(event), context.device or "", context.campaign or "", event_id)
        match event:
            case ProductsSearched():
                self.searches.search(session, at, event.query, event.result_count, event_id)
                self.waiting.append(Text(who, event.query[:_MOST_TEXT], at, event_id))
            case ProductClicked() | ItemClicked():
                self.searches.opened(session, at)
            case ProductViewed():
                self.searches.opened(session, at)
                self.demand.look(event.product_id, at, event_id)
            case ProductAdded():
                self.demand.cart(event.product_id, at, event_id)
            case OrderCompleted():
                for line in event.products:
                    self.demand.sell(line.product_id, at, line.quantity, event_id)
            case ProductReviewed():
                body = event.review_body.strip()[:_MOST_TEXT]
                if body:
                    self.waiting.append(Text(who, body, at, event_id, event.product_id, judged=True))
            case _:
                pass
