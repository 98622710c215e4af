"""`python -m services.profiler.worker`"""

from rapport.ops.lifecycle import run
from rapport.ops.settings import Settings
from services.profiler.worker import parts

if __name__ == "__main__":
    run("profiler-worker", Settings, parts)
