"""Templates, tones, prompts and authors by what came of them, over all experiments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rapport.events.experiments import ExperimentChanged, VariationInfo
from services.content.domain.experiments.statistics import wilson
from services.content.domain.experiments.tally import Tally

By = Literal["template", "tone", "prompt", "author"]
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    customers: int
    successes: int
    rate: float
    low: float
    high: float


def ranking(experiments: Iterable[tuple[ExperimentChanged, Tally]], by: By, kind: str = "") -> list[Row]:
    """Best first, by the lower end of the rate's interval: few lucky customers do not put a template on top."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for experiment, tally in experiments:
        if kind and experiment.kind != kind:
            continue
        for variation in experiment.variations:
            name = _name(variation, by)
            if name:
                counts = tally.of(variation.variation_id)
                sums[name][0] += counts.customers
                sums[name][1] += counts.successes
    rows = [
        Row(name, customers, won, won / customers if customers else 0.0, *wilson(won, customers, _CONFIDENCE))
        for name, (customers, won) in sums.items()
    ]
    return sorted(rows, key=lambda row: row.low, reverse=True)


def _name(variation: VariationInfo, by: By) -> str:
    names = {
        "template": f"{variation.template_id}@{variation.template_version}" if variation.template_id else "",
        "tone": variation.tone or "",
        "prompt": variation.prompt_version or "",
        "author": variation.author,
    }
    return names[by]
