"""Experiments on copy: who gets what, what came of it, and when that is enough to decide."""
