"""`python -m services.chatbot.worker`"""

from rapport.ops.lifecycle import run
from rapport.ops.settings import Settings
from services.chatbot.worker import parts

if __name__ == "__main__":
    run("chatbot-worker", Settings, parts)
