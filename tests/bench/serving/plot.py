"""Bars, ours in colour."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def bars(values: Mapping[str, float], title: str, unit: str, file: Path) -> None:
    """Writes a PNG, the fastest on top."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    ranked = sorted(values.items(), key=lambda pair: pair[1])
    figure, axes = pyplot.subplots(figsize=(9, 0.35 * len(ranked) + 1.2))
    colours = ["tab:blue" if name.startswith("ours") else "tab:gray" for name, _ in ranked]
    drawn = axes.barh([name for name, _ in ranked], [value for _, value in ranked], color=colours)
    axes.bar_label(drawn, fmt="%.0f", padding=3)
    axes.set_xlabel(unit)
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=110)
    pyplot.close(figure)
    print(f"plot: {file}")
