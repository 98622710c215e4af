"""What is tried beside the promoted ranker: rankers that are scored but not shown, and an experiment between rankers.

A trial is a file, `trial.json`, registered and promoted as models are: promoting one begins it, rolling back ends it.
"""

from __future__ import annotations

from pathlib import Path

from growthbook.core import chooseVariation, gbhash, getBucketRanges, inNamespace
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rapport.ops.errors import InvalidRequest

KIND = "trial"
FILE = "trial.json"
PROMOTED, FIXED = "promoted", "fixed"
_HASH_VERSION = 2


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Arm(_Strict):
    """One variation of an experiment between rankers."""

    id: str = Field(min_length=1)
    """As it stands in answers and in `Experiment Viewed`."""
    ranker: str = PROMOTED
    """promoted: what is promoted then; fixed: the fixed weights; else a version of recommender-ranker."""
    weight: float = Field(default=1.0, gt=0)
    """Share of the customers, against the other variations."""


class Namespace(_Strict):
    """A part of all customers that no other experiment of the same name and another part has."""

    name: str = Field(min_length=1)
    start: float = Field(ge=0, lt=1)
    end: float = Field(gt=0, le=1)


class ModelExperiment(_Strict):
    """Customers are assigned by GrowthBook's hash, version 2: every GrowthBook SDK agrees."""

    id: str = Field(min_length=1)
    """The tracking key."""
    arms: tuple[Arm, ...] = Field(min_length=2)
    """The control first."""
    coverage: float = Field(default=1.0, gt=0, le=1)
    """Share of the customers that take part; the others get what is promoted, and are in no variation."""
    seed: str = ""
    """Of the hash; empty: the id."""
    namespace: Namespace | None = None

    @model_validator(mode="after")
    def _told_apart(self) -> ModelExperiment:
        if len({arm.id for arm in self.arms}) < len(self.arms):
            raise ValueError("two arms have the same id")
        return self

    def arm_of(self, customer_id: str) -> Arm | None:
        """Steady for a customer; None: they do not take part. Nobody in particular never does."""
        space = self.namespace
        if not customer_id or (space and not inNamespace(customer_id, (space.name, space.start, space.end))):
            return None
        bucket = gbhash(self.seed or self.id, customer_id, _HASH_VERSION)
        total = sum(arm.weight for arm in self.arms)
        ranges = getBucketRanges(len(self.arms), self.coverage, [arm.weight / total for arm in self.arms])
        place = -1 if bucket is None else chooseVariation(bucket, ranges)
        return self.arms[place] if place >= 0 else None


class Trial(_Strict):
    """The content of the file."""

    shadow: tuple[str, ...] = ()
    """Versions of recommender-ranker that are scored and recorded but not shown."""
    experiment: ModelExperiment | None = None

    @property
    def versions(self) -> set[str]:
        """Of rankers, that it needs."""
        arms = {arm.ranker for arm in self.experiment.arms} if self.experiment else set()
        return {*self.shadow, *arms} - {PROMOTED, FIXED}


def read(file: Path) -> Trial:
    """Raises `InvalidRequest` naming the field that does not fit."""
    try:
        return Trial.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or file.name
        raise InvalidRequest(first["msg"], field=field, fix="docs/recommender-models.md shows one") from error
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}", field=file.name) from error
