"""What the learned half of the recommender can be told."""

from __future__ import annotations

from pydantic import Field, model_validator

from rapport.ops.settings import Section


class Arm(Section):
    """One variation of an experiment between rankers."""

    id: str = Field(min_length=1)
    """As it stands in answers and in `Experiment Viewed`."""
    ranker: str = "promoted"
    """promoted: what is promoted then; fixed: the fixed weights; else a version of recommender-ranker."""
    weight: float = Field(default=1.0, gt=0)
    """Share of the customers, against the other variations."""


class ModelExperiment(Section):
    """Customers are assigned by GrowthBook's hash (version 2, the id as seed): every GrowthBook SDK agrees."""

    id: str = Field(min_length=1)
    """The tracking key."""
    arms: tuple[Arm, ...] = Field(min_length=2)
    """The control first."""
    coverage: float = Field(default=1.0, gt=0, le=1)
    """Share of the customers that take part; the others get what is promoted, and are in no variation."""

    @model_validator(mode="after")
    def _told_apart(self) -> ModelExperiment:
        if len({arm.id for arm in self.arms}) < len(self.arms):
            raise ValueError("two arms have the same id")
        return self


class LearnedSection(Section):
    sequence: bool = True
    """Whether the sequence model on the worker is asked, once one is promoted."""
    shadow: tuple[str, ...] = ()
    """Versions of recommender-ranker that are scored and recorded but not shown, as JSON."""
    experiment: ModelExperiment | None = None
    """An experiment between rankers, as JSON: '{"id": "ranker-1", "arms": [{"id": "control"}, {"id": "fixed", "ranker":
    "fixed"}]}'"""
