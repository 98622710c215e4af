"""Exponential decay in event time."""

from __future__ import annotations

from dataclasses import dataclass, field


def faded(mass: float, elapsed_ms: int, half_life_ms: int) -> float:
    """m · 2^(-t/h). Time never runs backwards: for a negative `elapsed_ms` the mass stays as it is."""
    return mass if elapsed_ms <= 0 else mass * 2.0 ** (-elapsed_ms / half_life_ms)


@dataclass(slots=True)
class Tally:
    """Decaying masses by name, all as of one moment.

    A late event counts with what would be left of it by now, so the order of arrival does not matter.
    """

    masses: dict[str, float] = field(default_factory=dict)
    at: int = 0
    """Event time that the masses are true for."""

    def add(self, name: str, weight: float, at: int, half_life_ms: int, limit: int) -> None:
        """Adds `weight` (negative: takes away, not below nothing), and keeps the `limit` heaviest names.

        A newcomer always gets in, in place of the lightest: otherwise old habits would lock new ones out.
        """
        self._move_to(at, half_life_ms)
        mass = self.masses.get(name, 0.0) + faded(weight, self.at - at, half_life_ms)
        if mass <= 0:
            self.masses.pop(name, None)
            return
        if name not in self.masses and len(self.masses) >= limit:
            del self.masses[min(self.masses, key=self.masses.__getitem__)]
        self.masses[name] = mass

    def join(self, other: Tally, half_life_ms: int, limit: int) -> None:
        """Adds another tally of the same half-life: what one would hold that had counted both."""
        self._move_to(other.at, half_life_ms)
        factor = faded(1.0, self.at - other.at, half_life_ms)
        for name, mass in other.masses.items():
            self.masses[name] = self.masses.get(name, 0.0) + mass * factor
        kept = sorted(self.masses, key=lambda name: (-self.masses[name], name))[:limit]
        self.masses = {name: mass for name, mass in self.masses.items() if name in kept}

    def shares(self) -> list[tuple[str, float]]:
        """Name and share, heaviest first; the shares sum to 1."""
        total = sum(self.masses.values())
        if total <= 0:
            return []
        shares = [(name, mass / total) for name, mass in self.masses.items()]
        return sorted(shares, key=lambda pair: (-pair[1], pair[0]))

    def heaviest(self) -> str:
        """The name with the most mass, the first in alphabet among equals; "" when there is none."""
        return min(self.masses, key=lambda name: (-self.masses[name], name), default="")

    def _move_to(self, at: int, half_life_ms: int) -> None:
        if at <= self.at:
            return
        factor = faded(1.0, at - self.at, half_life_ms) if self.masses else 1.0
        self.masses = {name: mass * factor for name, mass in self.masses.items()}
        self.at = at
