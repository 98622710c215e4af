"""Trained answers as versions: their name, kind and files."""

from __future__ import annotations

NAME = "chatbot-answers"
KIND = "reader"
FACTS = "answers.json"
