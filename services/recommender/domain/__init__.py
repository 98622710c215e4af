"""Candidates, scores, rules and reasons: plain Python and numpy."""
