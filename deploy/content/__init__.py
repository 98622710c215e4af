"""Briefs from the command line."""
