"""What the learned half of the recommender can be told."""

from __future__ import annotations

from rapport.ops.settings import Section


class LearnedSection(Section):
    sequence: bool = True
    """Whether the sequence model on the worker is asked, once one is promoted."""
