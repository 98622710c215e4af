"""`python -m services.profiler.insights`: the analyst. The profiler starts it; alone it runs as well."""

import os

from rapport.ops.lifecycle import run
from services.profiler.insights.bootstrap import AnalystSettings, parts

# Behind everything that somebody waits for: what it finds may come a minute later.
_NICENESS = 10

if __name__ == "__main__":
    os.nice(_NICENESS)
    run("profiler-analyst", AnalystSettings, parts)
