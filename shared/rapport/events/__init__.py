"""The events, their topics, and how they travel: contracts as code."""
