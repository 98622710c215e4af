"""From `./rapport up` to the first answer, and the memory that the stack takes.

    python -m tests.bench.startup [--json FILE]

Protocol: models prepared and jars fetched before, state folder new, no demo traffic, free ports, everything on this
machine. `up`: seconds until the command has returned (everything ready). `first answer`: seconds until the gateway has
answered a recommendation call after that. `again`: the same after a `down`, with the state kept. Memory: proportional
set size (what processes share is divided among them), half a minute after the first answer.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from deploy.cli.table import resident_mb
from tests.bench.figures import Row, report
from tests.e2e.api import api
from tests.e2e.stack import Stack, whole_stack

_SETTLED_S = 30.0


async def first_answer(stack: Stack) -> None:
    async with api(stack) as gateway:
        await gateway.recommendation("")


def memory(stack: Stack) -> list[Row]:
    rows: list[Row] = [{"process": name, "MB": resident_mb(stack.pid(name))} for name in stack.names()]
    return [*rows, {"process": "all", "MB": sum(row["MB"] for row in rows)}]


def main(file: Path | None) -> None:
    began = time.perf_counter()
    with whole_stack() as stack:
        up = time.perf_counter()
        asyncio.run(first_answer(stack))
        answered = time.perf_counter()
        time.sleep(_SETTLED_S)  # what a process takes while it starts is not what it keeps
        rows = memory(stack)
        stack.rapport("down")
        began_again = time.perf_counter()
        stack.up()
        again = time.perf_counter() - began_again
    times = {"up s": up - began, "first answer s": answered - up, "again s": again}
    report(__doc__ or "", [*rows, times], file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path)
    main(parser.parse_args().json)
