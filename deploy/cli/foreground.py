"""`up` without `--detach`: stay, tell what dies, and end everything on Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from deploy.cli.output import out
from deploy.local.docker import stop_servers
from deploy.local.home import Home
from deploy.local.record import Record
from deploy.local.shutdown import shut_down
from deploy.local.supervisor_client import Supervisor
from rapport.ops.errors import UnavailableError

LOOK_EVERY_S = 1.0


@contextmanager
def endings_raise() -> Iterator[None]:
    """Inside, SIGTERM and a closed terminal end the command as Ctrl-C does: with everything stopped."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stay(home: Home, record: Record, show: Callable[[], None]) -> None:
    """`show` what runs; return when the stack was ended from elsewhere, or after Ctrl-C, with everything stopped."""
    try:
        # In here, so that a Ctrl-C that comes while it is printed ends everything, too.
        show()
        out.print("\nCtrl-C ends all of it; ./rapport logs -f in another terminal shows what it does.")
        _watch(home)
    except UnavailableError:
        out.print("Stopped by another command.")
    except KeyboardInterrupt:
        # A second Ctrl-C would leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with home.locked():
            shut_down(home, out.print)
            if record.docker:
                stop_servers()
        out.print("Stopped.")


def _watch(home: Home) -> NoReturn:
    """Tell what dies and what is started again. Raises `UnavailableError` once the supervisor is gone."""
    supervisor = Supervisor(home.socket)
    known: dict[str, int] = {}
    while True:
        for info in supervisor.processes().values():
            before = known.get(info.name)
            if info.pid and before and info.pid != before:
                out.print(f"{info.name} was started again; why: ./rapport logs {info.name}")
            elif info.state == "FATAL" and before != -1:
                out.print(f"{info.name} died again and again and is left down; why: ./rapport logs {info.name}")
            known[info.name] = -1 if info.state == "FATAL" else info.pid or before or 0
        time.sleep(LOOK_EVERY_S)
