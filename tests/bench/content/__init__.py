"""Benches of the content service: commands, not tests. See README.md."""
