"""A consumer as a process of its own, to be killed: `python -m tests.integration.bus.counting_process handler|state`.

Settings come from the environment. It says `ready` once it has partitions, and ends on SIGTERM as a service does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rapport.bus.consumer import HandlerConsumer
from rapport.bus.stateful import StatefulConsumer
from rapport.ops.lifecycle import run
from rapport.ops.parts import Part
from rapport.ops.settings import Settings
from tests.integration.bus.support import IN, counting, echo


def _parts(settings: Settings) -> Sequence[Part]:
    if sys.argv[1] == "handler":
        return [HandlerConsumer("g", [IN], echo, settings, max_batch=20)]
    return [StatefulConsumer("g", IN, counting, settings, max_batch=20)]


if __name__ == "__main__":
    run("counting", Settings, _parts)
