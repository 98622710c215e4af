"""Kinds of versions that workers serve for a task, and how their files lie."""

from __future__ import annotations

HEAD = "head"
"""A classifier on the vectors of the encoder that serves everything else."""
CLASSIFIER = "classifier"
"""A classifier with an encoder of its own, in the folder `ENCODER`."""
ENCODER = "encoder"
