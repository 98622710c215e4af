"""One report: every model on the same cases, with the simple ones always beside it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.recommender.evaluation.figures import Doubles, Figure, difference, of_lists, per_case, summed_up
from services.recommender.evaluation.full_ranking import LISTED, Ranked, Scorer, rank_all
from services.recommender.evaluation.segments import segments
from services.recommender.evaluation.splits import Split

CUTS = (5, 10, LISTED)
# What models are chosen by.
CHIEF = "NDCG@10"


@dataclass(frozen=True, slots=True)
class Line:
    """One model's figures."""

    name: str
    figures: Mapping[str, Figure]
    lists: Mapping[str, float]
    """Coverage, novelty, popularity bias."""
    segments: Mapping[str, Mapping[str, Figure]]
    seconds: float
    """To rank all cases."""
    fitted_s: float | None
    """To fit the model; None where it was fitted elsewhere."""
    cases: Mapping[str, Doubles]
    """[cases] of each figure, for paired comparisons."""
    sizes: Mapping[str, int]
    """Cases of each segment."""

    def plain(self) -> dict[str, Any]:
        """For JSON: all but the single cases."""
        return {
            "name": self.name,
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
            "lists": dict(self.lists),
            "segments": {
                part: {"cases": self.sizes[part], **{name: asdict(figure) for name, figure in figures.items()}}
                for part, figures in self.segments.items()
            },
            "ranking_seconds": round(self.seconds, 3),
            "fitting_seconds": None if self.fitted_s is None else round(self.fitted_s, 3),
        }


def judged(
    scorer: Scorer, split: Split, of_user: Mapping[int, str] | None = None, fitted_s: float | None = None
) -> Line:
    """One model on the test cases."""
    began = time.monotonic()
    ranked = rank_all(scorer, split.test, repeats=split.repeats)
    seconds = time.monotonic() - began
    return line_of(scorer.name, ranked, split, of_user or {}, seconds, fitted_s)


def line_of(
    name: str, ranked: Ranked, split: Split, of_user: Mapping[int, str], seconds: float, fitted_s: float | None
) -> Line:
    """Figures of a ranking of the test cases."""
    popularity = split.train.popularity()
    values = per_case(ranked, CUTS)
    chosen = ("HR@10", CHIEF)
    masks = segments(split.test, popularity, of_user)
    parts = {part: summed_up({figure: values[figure][mask] for figure in chosen}) for part, mask in masks.items()}
    sizes = {part: int(mask.sum()) for part, mask in masks.items()}
    lists = of_lists(ranked.lists, popularity, 10)
    return Line(name, summed_up(values), lists, parts, seconds, fitted_s, values, sizes)


def ahead(ours: Line, theirs: Line, figure: str = CHIEF) -> Figure:
    """How far one model is ahead of another, case by case."""
    return difference(ours.cases[figure], theirs.cases[figure])


def table(lines: Sequence[Line], columns: Sequence[str] = ("HR@10", "Recall@20", "NDCG@10", "MRR")) -> str:
    """For people: aligned columns, intervals in brackets."""
    head = ["model", *columns, "coverage@10", "novelty@10", "pop. bias@10", "fit s"]
    rows = [head]
    for line in lines:
        cells = [f"{f.value:.4f} [{f.low:.4f}, {f.high:.4f}]" for f in (line.figures[name] for name in columns)]
        spread = [f"{line.lists[name]:.3f}" for name in ("coverage@10", "novelty@10", "popularity_bias@10")]
        rows.append([line.name, *cells, *spread, "" if line.fitted_s is None else f"{line.fitted_s:.1f}"])
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
