"""Fitting models from what the profiler knows, and from text that the shop labelled: by command, and on schedule."""
