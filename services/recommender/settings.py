"""What the recommender can be told, beside what every process can."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from rapport.ops.settings import GrpcSettings, OpsSettings, Section, Settings, WorkerSettings


class RecommenderSection(Section):
    limit: int = Field(default=10, ge=1, le=100)
    """Items of a pushed answer, and of an asked one that names no number."""
    expires_after_minutes: float = Field(default=360.0, gt=0)
    """How long an answer may be shown. After it, a customer's next change brings a new one though nothing differs."""
    repeat_categories: tuple[str, ...] = ()
    """Categories that people buy again, as JSON: there, what was bought may be recommended. '["Coffee", "Pet food"]'"""
    most_of_a_category: float = Field(default=0.5, gt=0, le=1)
    """Largest share of an answer that one category may have while there is something else to show."""
    language: str = "en"
    """Of the reasons, for customers whose language is not known."""
    timezone: str = "UTC"
    """The shop's: when a day begins, for "looked at it today"."""
    index: Literal["exact", "vector_set"] = "exact"
    """Item search: exact in process (right below some 50,000 products), or a Redis vector set (a second round trip)."""
    encoder_check_s: float = Field(default=30.0, gt=0)
    """How often the worker is asked whether it still has the encoder that the catalogue was embedded with."""

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no such time zone, want an IANA name such as Europe/Berlin") from error
        return name


class RecommenderSettings(Settings):
    recommender: RecommenderSection = RecommenderSection()
    grpc: GrpcSettings = GrpcSettings(port=50052)
    ops: OpsSettings = OpsSettings(port=9102)
    worker: WorkerSettings = WorkerSettings(address="127.0.0.1:50062")
