"""Requests that take several turns: declared in flows.toml, run by code. Plain Python: no transport, no model."""
