"""The topic registry: DESIGN's table as data. It creates the topics and is what the documents are generated from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rapport.events import (
    behaviour,
    catalog,
    chat,
    content,
    content_inbox,
    experiments,
    governance,
    knowledge,
    orders,
    profiler_inbox,
    profiles,
    recommendations,
)
from rapport.events.base import Event
from rapport.ops.errors import InvalidRequest

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `name` is without the configurable prefix."""

    name: str
    key: str
    """Who the order is kept for; the payload field (or Behaviour.subject) that the message key equals."""
    events: tuple[type[Event], ...]
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    summary: str
    cleanup: str = "delete"
    """Kafka's cleanup.policy."""
    retention_ms: int = 7 * DAY_MS

    @property
    def compacted(self) -> bool:
        return "compact" in self.cleanup

    def config(self) -> dict[str, str]:
        """Kafka's topic settings."""
        config = {"cleanup.policy": self.cleanup}
        if "delete" in self.cleanup:
            config["retention.ms"] = str(self.retention_ms)
        return config


_PLATFORM, _ALL = "platform teams", ("profiler", "recommender", "chatbot", "content")
_BEHAVIOUR: tuple[type[Event], ...] = (
    behaviour.ProductsSearched, behaviour.ProductListViewed, behaviour.ProductClicked, behaviour.ProductViewed,
    behaviour.ProductAdded, behaviour.ProductRemoved, behaviour.ProductWishlisted, behaviour.CartViewed,
    behaviour.CheckoutStarted, behaviour.OrderCompleted, behaviour.OrderRefunded, behaviour.CouponApplied,
    behaviour.ProductReviewed, behaviour.PageViewed, behaviour.Identify, behaviour.ItemsShown, behaviour.ItemClicked,
    behaviour.ContentShown, behaviour.ContentClicked,
)  # fmt: skip

_TOPICS = (
    Topic("clickstream.v1", "customer", _BEHAVIOUR, (_PLATFORM, "gateway", "demo"),
          ("profiler", "recommender", "content"), "What customers do."),
    Topic("catalog.v1", "product_id", (catalog.ProductUpserted,), (_PLATFORM, "demo"), _ALL,
          "Products; a null value delists one.", "compact"),
    Topic("knowledge.v1", "article_id", (knowledge.ArticleUpserted,), (_PLATFORM, "demo"), ("chatbot",),
          "Help articles, policies, questions with answers; a null value withdraws one.", "compact"),
    Topic("profiles.v1", "customer_id", (profiles.ProfileUpdated,), ("profiler",),
          ("recommender",), "The whole profile, with a revision number.", "compact"),
    Topic("segments.v1", "customer_id", (profiles.SegmentChanged,), ("profiler",), ("content", "automation"),
          "Entered and left, with reason and confidence."),
    Topic("insights.v1", "subject", (profiles.InsightFound,), ("profiler", "chatbot"), ("automation",),
          "Findings about demand, sentiment, gaps and drift."),
    Topic("profiler.inbox.v1", "customer_id",
          (profiler_inbox.IdentityLinked, profiler_inbox.ProfileAbsorbed, profiler_inbox.CustomerSaid,
           profiler_inbox.TimePassed), ("profiler",), ("profiler",),
          "Internal: what belongs to a customer of another partition (identity merges, chat lines, time that passed)."),
    Topic("recommendations.v1", "customer_id", (recommendations.RecommendationMade,), ("recommender",),
          ("chatbot", "content", "shop front ends"), "Ranked items with scores and reasons.", "compact,delete"),
    Topic("impressions.v1", "customer_id", (recommendations.ImpressionRecorded,), ("recommender",), ("recommender",),
          "Recommended items that were seen, with the feature values of that moment: training data.",
          retention_ms=30 * DAY_MS),
    Topic("chat.messages.v1", "conversation_id", (chat.ChatMessage, chat.ChatFeedback),
          ("channels", "gateway", "chatbot", "demo"),
          ("chatbot", "profiler", "gateway"), "What a customer or an agent said; thumbs up and down."),
    Topic("chat.replies.v1", "conversation_id", (chat.ChatReply,), ("chatbot",), ("gateway", "channels", "chatbot"),
          "What the bot answered: text, sources, typed action, confidence."),
    Topic("chat.handoffs.v1", "conversation_id", (chat.HandoffRequested,), ("chatbot",),
          ("support desk", "gateway", "chatbot"),
          "A person is needed: reason, summary, transcript."),
    Topic("orders.v1", "order_id", (orders.OrderUpdated,), (_PLATFORM, "demo"), ("chatbot",),
          "The state of each order.", "compact"),
    Topic("orders.actions.v1", "order_id", (orders.OrderActionRequested,), ("chatbot", "automation"),
          (_PLATFORM,), "Confirmed commands: return, cancel, refund, exchange, address."),
    Topic("content.requests.v1", "request_id", (content.ContentRequested,), ("marketers", "automation", "gateway"),
          ("content",), "Briefs."),
    Topic("content.published.v1", "request_id", (content.ContentPublished,), ("content",),
          ("channels", "gateway"), "Copy that passed every check, with the trail."),
    Topic("alerts.v1", "subject", (governance.AlertRaised,), ("automation",), ("support desk",),
          "Stock, sentiment, anomalies, outcomes of rules. Reserved: the rules that would write it are not built yet."),
    Topic("content.drafts.v1", "content_id", (content.ContentDrafted,), ("content",), ("content",),
          "Copy on its way past a person: pending, approved, rejected.", "compact"),
    Topic("consents.v1", "customer_id", (content.ConsentChanged,), (_PLATFORM, "gateway"), ("content",),
          "What customers let copy say of them; a null value withdraws it.", "compact"),
    Topic("experiments.v1", "experiment_id", (experiments.ExperimentChanged,), ("content",), ("content", "channels"),
          "Experiments on copy, as they are now.", "compact"),
    Topic("exposures.v1", "customer_id", (experiments.ExperimentViewed,), ("content", "recommender"),
          ("content", "analysts"), "Who saw which variation.", retention_ms=90 * DAY_MS),
    Topic("outcomes.v1", "customer_id", (experiments.ExperimentOutcome,), ("content",), ("content", "analysts"),
          "Clicks and orders that followed a view within the experiment's window.", retention_ms=90 * DAY_MS),
    Topic("content.inbox.v1", "customer_id", (content_inbox.JourneyLinked, content_inbox.JourneyJoined), ("content",),
          ("content",), "Internal: what was seen and done under an anonymous id, on its way to the customer's."),
    Topic("models.v1", "model", (governance.ModelPromoted,), ("registry",), _ALL,
          "The promoted version of each model.", "compact"),
    Topic("privacy.requests.v1", "customer_id", (governance.PrivacyRequested,), ("privacy officer",), _ALL,
          "Erase or export. Reserved: no service acts on it yet."),
    Topic("privacy.receipts.v1", "customer_id", (governance.PrivacyDone,), _ALL, ("privacy officer",),
          "Proof of what was done where. Reserved: no service writes it yet."),
)  # fmt: skip

TOPICS: Mapping[str, Topic] = MappingProxyType({topic.name: topic for topic in _TOPICS})
EVENTS: Mapping[str, type[Event]] = MappingProxyType(
    {event.ce_type(): event for topic in _TOPICS for event in topic.events}
)

DEAD_LETTER_RETENTION_MS = 30 * DAY_MS


def dead_letter_topic(group: str) -> Topic:
    """Where a consumer group sets messages aside: original bytes, the typed failure in headers."""
    return Topic(
        f"{group}.dlq.v1", "as source", (governance.DeadLetter,), (group,), ("operators",),
        f"What {group} could not handle.", "delete", DEAD_LETTER_RETENTION_MS,
    )  # fmt: skip


def topic_named(name: str) -> Topic:
    """The registered topic. Raises `InvalidRequest` naming those that exist."""
    if name not in TOPICS:
        raise InvalidRequest(f"no topic {name!r}", field="topic", fix=f"one of {', '.join(TOPICS)}")
    return TOPICS[name]
