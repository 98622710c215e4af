"""Answers from the shop's articles."""

from services.chatbot.knowledge.articles import Articles

__all__ = ["Articles"]
