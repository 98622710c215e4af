"""`python -m services.chatbot`."""

from rapport.ops.lifecycle import run
from services.chatbot.bootstrap import parts
from services.chatbot.settings import ChatbotSettings

if __name__ == "__main__":
    run("chatbot", ChatbotSettings, parts)
