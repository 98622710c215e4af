"""`python -m services.content`."""

from rapport.ops.lifecycle import run
from services.content.bootstrap import parts
from services.content.settings import ContentSettings

if __name__ == "__main__":
    run("content", ContentSettings, parts)
