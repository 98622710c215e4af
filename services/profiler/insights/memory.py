"""What has been said, so that it is not said again while nothing has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.profiler.insights.finding import DAY_MS, Finding

# A finding is news again when its size has changed by half, when it has turned, or when it still holds a week later.
_CHANGED, _REMIND_MS = 0.5, 7 * DAY_MS
# A finding that has not held for so long is over: the next one is a new story.
_OVER_MS = 2 * DAY_MS


@dataclass(slots=True)
class _Said:
    size: float
    direction: int
    at: int
    held_at: int


class Memory:
    """By kind and subject."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], _Said] = {}

    def is_news(self, finding: Finding) -> bool:
        """Notes the finding; False when it says nothing that was not said."""
        key = (finding.kind, finding.subject)
        said = self._said.get(key)
        if said is not None and finding.end - said.held_at > _OVER_MS:
            said = None
        if said is not None:
            said.held_at = max(said.held_at, finding.end)
            grown = abs(finding.size - said.size) >= _CHANGED * abs(said.size)
            turned = finding.direction != said.direction
            if not grown and not turned and finding.end - said.at < _REMIND_MS:
                return False
        self._said[key] = _Said(finding.size, finding.direction, finding.end, finding.end)
        return True

    def recall(self, kind: str, subject: str, size: float, end: int, data: Mapping[str, object]) -> None:
        """What an earlier process said, as insights.v1 has it."""
        direction = data.get("direction")
        self._said[kind, subject] = _Said(size, direction if isinstance(direction, int) else 0, end, end)

    def forget(self, before: int) -> None:
        self._said = {key: said for key, said in self._said.items() if said.held_at >= before}
