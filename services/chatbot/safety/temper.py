"""How upset a customer is."""

from __future__ import annotations

import re

from services.chatbot.safety.words import Words

_SHOUT = re.compile(r"[!！]{2,}|\b[A-Z]{3,}\b(?:\W+\b[A-Z]{2,}\b){2,}")
# An angry word is worth this much, an insult and shouting as well; at 1 the customer is beside themselves.
_WORD, _INSULT, _SHOUTED = 0.45, 0.35, 0.25
# What a model's bare "negative" adds: a broken vase is negative, and no reason to be angry.
_MODEL = 0.2


def anger(text: str, sentiment: float | None, words: Words) -> float:
    """0 (calm) to 1. `sentiment`: a model's, -1 to 1, where there is one."""
    insults = words.count("abuse", text)
    shouted = _SHOUTED if _SHOUT.search(text) else 0.0
    # An insult is negative by itself: the model's word for it would count it twice.
    felt = 0.0 if insults else _MODEL * max(0.0, -(sentiment or 0.0))
    return min(1.0, _WORD * words.count("anger", text) + _INSULT * insults + shouted + felt)
