"""Text for many callers at once: our own model in rounds, or another server behind the same port."""
