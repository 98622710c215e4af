"""The chatbot's use cases. What they need is an argument; they know no Kafka, Redis or gRPC."""

from services.chatbot.handlers.conversing import CONVERSE, converse, on_chat_messages
from services.chatbot.handlers.keeping import on_articles, on_order_updates
from services.chatbot.handlers.learning import learn

__all__ = ["CONVERSE", "converse", "learn", "on_articles", "on_chat_messages", "on_order_updates"]
