"""`python -m services.profiler`."""

from rapport.ops.lifecycle import run
from services.profiler.bootstrap import parts
from services.profiler.settings import ProfilerSettings

if __name__ == "__main__":
    run("profiler", ProfilerSettings, parts)
