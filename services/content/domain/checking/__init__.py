"""Checks on finished copy. What is not found wrong here may go out."""
