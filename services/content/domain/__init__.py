"""Facts of a brief, templates, and the checks that copy must pass."""
