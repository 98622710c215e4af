"""What a bulk run shows while it works."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli.output import err
from deploy.content.bulk import Progress as Done


@contextlib.contextmanager
def bar(total: int, kept: Done) -> Iterator[Callable[[Done], None]]:
    """A bar with what is done, refused and left; begins where the run before ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as shown:
        task = shown.add_task("briefs", total=total, completed=len(kept.done))

        def advance(done: Done) -> None:
            shown.update(task, completed=len(done.done), description=f"briefs ({done.refused} refused)")

        yield advance
