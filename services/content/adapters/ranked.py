"""`Ranking` by what came of earlier experiments."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.events.content import ContentRequested
from services.content.domain.experiments.board import Board
from services.content.domain.experiments.performance import ranking
from services.content.domain.templates import TemplateEntry

# A template with fewer customers than this stays where the file has it.
_ENOUGH = 50


class BoardRanking:
    """Templates whose rate is known come first, best lower bound first."""

    def __init__(self, board: Board, tenant: str) -> None:
        self._board, self._tenant = board, tenant

    def ordered(self, brief: ContentRequested, entries: Sequence[TemplateEntry]) -> list[TemplateEntry]:
        experiments = [
            (e, self._board.tally(self._tenant, e.experiment_id)) for e in self._board.of_tenant(self._tenant)
        ]
        known = {row.name: row.low for row in ranking(experiments, "template", brief.kind) if row.customers >= _ENOUGH}
        if not known:
            return list(entries)
        return sorted(entries, key=lambda entry: -known.get(f"{entry.id}@{entry.version}", -1.0))
