"""`python -m services.content.worker`"""

from rapport.ops.lifecycle import run
from rapport.ops.settings import Settings
from services.content.worker import parts

if __name__ == "__main__":
    run("content-worker", Settings, parts)
