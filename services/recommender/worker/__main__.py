"""`python -m services.recommender.worker`"""

from rapport.ops.lifecycle import run
from rapport.ops.settings import Settings
from services.recommender.worker import parts

if __name__ == "__main__":
    run("recommender-worker", Settings, parts)
