"""What a message wants: language, intent, sentiment."""

from services.chatbot.understanding.reader import Reader

__all__ = ["Reader"]
