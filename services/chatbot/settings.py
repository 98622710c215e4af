"""What the chatbot can be told, beside what every process can."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from rapport.ops.settings import GrpcSettings, OpsSettings, Section, Settings, Words, WorkerSettings
from services.chatbot.safety.rails import Mode


class ChatbotSection(Section):
    memory_turns: int = Field(default=20, ge=2, le=1000)
    """Turns of a conversation that are remembered, and that a hand-off's transcript has."""
    memory_tokens: int = Field(default=800, ge=100)
    """Tokens of a conversation that are kept word for word; what is older goes into a summary."""
    memory_hours: float = Field(default=72.0, gt=0)
    """A conversation is forgotten after this long a silence."""
    answered_once_hours: float = Field(default=24.0, gt=0)
    """The same message id within this time gets the same reply and is not answered anew."""
    refuse_below: float = Field(default=0.5, gt=0, lt=1)
    """Below this probability that the best article answers at all the bot says that it does not know."""
    default_language: Literal["en", "zh"] = "en"
    """Answered in when neither the caller nor the text tells a language."""
    recommended_items: int = Field(default=3, ge=1, le=10)
    """Products named in one answer."""
    wording: Literal["extract", "generate"] = "extract"
    """extract: answers are quoted. generate: worded by the language model, sentences without support left out."""
    generator_languages: Words = ("en",)
    """Languages that the language model speaks well, comma-separated; the others are quoted."""
    encoder_timeout_s: float = Field(default=3.0, gt=0)
    """Without an answer of the encoder by then, words alone are compared."""
    recommender_timeout_s: float = Field(default=3.0, gt=0)
    """Longest a recommendation may take."""
    order_check_s: float = Field(default=5.0, gt=0)
    """How often Redis is looked at for lost orders."""
    searched_items: int = Field(default=4, ge=1, le=20)
    """Products named in the answer to a search."""
    flows_file: Path | None = None
    """What differs in the shop's own flows and policy from those in `flows/flows.toml`, in the same form."""
    handoff_after_unsure: int = Field(default=2, ge=1)
    """Messages in a row without an answer after which a person is called."""
    handoff_anger: float = Field(default=0.8, gt=0, le=1)
    """Anger, 0 to 1, from which a person is called."""
    injection_rail: Mode = "fail_open"
    """Prompt injections. Without an encoder fail_open looks at exact words only, fail_closed takes nothing in."""
    injection_examples: Path | None = None
    """Messages of the shop's own to tell injections by, beside ours: a file with the columns text and label (1, 0)."""
    injection_threshold: float = Field(default=0.8, gt=0, lt=1)
    """P(injection) from which likeness alone stops a message."""
    abuse_rail: Mode = "fail_open"
    """Messages that are nothing but insults, and threats."""
    personal_data_rail: Mode = "fail_closed"
    """Personal data in answers is masked unless the customer or the shop's pages said it."""
    unsafe_rail: Mode = "fail_closed"
    """Insults and the like in answers."""
    profiler_timeout_s: float = Field(default=0.3, gt=0)
    """Longest the customer's needs are waited for; without them the answer is the same for everybody."""
    insights_hours: float = Field(default=1.0, gt=0)
    """Length of the periods whose figures of use and unanswered questions go to insights.v1."""
    max_batch: int = Field(default=64, ge=1)
    """Messages taken from a partition at once: what can be answered well within kafka.stall_after_s."""
    parallel: int = Field(default=16, ge=1)
    """Conversations of one batch that are answered at once."""


class ChatbotSettings(Settings):
    grpc: GrpcSettings = GrpcSettings(port=50053)
    ops: OpsSettings = OpsSettings(port=9103)
    worker: WorkerSettings = WorkerSettings(address="127.0.0.1:50063")
    chatbot: ChatbotSection = ChatbotSection()
