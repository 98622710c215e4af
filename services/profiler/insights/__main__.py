"""`python -m services.profiler.insights`: the analyst. The profiler starts it; alone it runs as well."""

import os

from rapport.ops.lifecycle import run
from services.profiler.insights.bootstrap import AnalystSettings, parts

if __name__ == "__main__":
    # Behind everything that somebody waits for: what it finds may come a minute later.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    run("profiler-analyst", AnalystSettings, parts)
