"""What a message wants: language, intent, entities, sentiment."""

from services.chatbot.understanding.reader import Reader

__all__ = ["Reader"]
