"""What the recommender can be told, beside what every process can."""

from __future__ import annotations

from typing import Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from rapport.events.recommendations import ReasonKind
from rapport.ops.errors import InvalidRequest
from rapport.ops.settings import GrpcSettings, Listed, OpsSettings, Section, Settings, WorkerSettings
from services.recommender.domain.expressions import Expression
from services.recommender.learned.settings import LearnedSection


class PromotionSettings(Section):
    name: str
    """Shown in the reason: "Part of <name>"."""
    when: str
    """CEL: which products, for whom, when."""
    boost: float = Field(default=0.2, gt=0, le=10)
    """Added to the score: 0.2 decides between equals, 1 leads."""

    @field_validator("when")
    @classmethod
    def _compiles(cls, text: str) -> str:
        return _compiled(text)


class RecommenderSection(Section):
    limit: int = Field(default=10, ge=1, le=100)
    """Items of a pushed answer, and of an asked one that names no number."""
    expires_after_minutes: float = Field(default=360.0, gt=0)
    """How long an answer may be shown. After it, a customer's next change brings a new one though nothing differs."""
    repeat_categories: tuple[str, ...] = ()
    """Categories that people buy again, as JSON: there, what was bought may be recommended. '["Coffee", "Pet food"]'"""
    most_of_a_category: float = Field(default=0.5, gt=0, le=1)
    """Largest share of an answer that one category may have while there is something else to show."""
    sources: Listed[ReasonKind] = get_args(ReasonKind)
    """Candidate sources that are switched on, comma-separated; those without a model or data find nothing."""
    weights: dict[ReasonKind, float] = {}
    """Weights of sources that differ from the built-in ones (domain/blend.py), as JSON. '{"graph": 0.5}'"""
    filters: tuple[str, ...] = ()
    """What every shown product must fit, in CEL, as JSON. '["language in item.languages", "item.price > 1.0"]'"""
    promotions: tuple[PromotionSettings, ...] = ()
    """Products to lift, as JSON. '[{"name": "Spring sale", "when": "item.brand == \"Fernhill\"", "boost": 0.3}]'"""
    diversity: float = Field(default=0.15, ge=0, lt=1)
    """0: by score alone; towards 1: the less alike the products of a list, the better (maximal marginal relevance)."""
    explore: float = Field(default=0.05, ge=0, lt=1)
    """Probability that a place behind the first five shows something from further down, to learn; recorded with it."""
    price_fit: float = Field(default=0.2, ge=0, le=1)
    """How much of its score a product loses that is far from the price bands the customer takes."""
    graph_refresh_s: float = Field(default=60.0, gt=0)
    """How often the product graph is built anew from the catalogue and the ties of behaviour."""
    statistics_refresh_s: float = Field(default=5.0, gt=0)
    """How often click rates and refusals of products are read."""
    generator: str = ""
    """Model worker with a language model, host:port, that writes what a customer would want next; empty: none does."""
    wish_every_s: float = Field(default=10.0, ge=0)
    """Least time between two such texts. On a CPU each takes a second or two of the generator's."""
    recall_within_ms: float = Field(default=25.0, gt=0)
    """How long an answer waits for sources that are asked over the network."""
    language: str = "en"
    """Of the reasons, for customers whose language is not known."""
    timezone: str = "UTC"
    """The shop's: when a day begins, for "looked at it today"."""
    index: Literal["projected", "exact", "vector_set"] = "projected"
    """Item search: `exact` in process; `projected`, the same below 20,000 products and exact among the best few hundred
    from there; or a Redis vector set (a second round trip, and nothing in this process)."""
    encoder_check_s: float = Field(default=30.0, gt=0)
    """How often the worker is asked whether it still has the encoder that the catalogue was embedded with."""

    learned: LearnedSection = LearnedSection()
    """What trained models do: RAPPORT_RECOMMENDER__LEARNED__SEQUENCE; see learned/settings.py."""

    @field_validator("filters")
    @classmethod
    def _compile(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_compiled, texts))

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no such time zone, want an IANA name such as Europe/Berlin") from error
        return name


def _compiled(text: str) -> str:
    try:
        return Expression(text).text
    except InvalidRequest as error:
        raise ValueError(str(error)) from error


class RecommenderSettings(Settings):
    recommender: RecommenderSection = RecommenderSection()
    grpc: GrpcSettings = GrpcSettings(port=50052)
    ops: OpsSettings = OpsSettings(port=9102)
    worker: WorkerSettings = WorkerSettings(address="127.0.0.1:50062")
