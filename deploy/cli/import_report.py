"""What `./rapport import` shows: progress while it runs, and what became of the rows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.cli.output import err, out

if TYPE_CHECKING:
    from rapport.ingest.report import Report

# Reasons shown; all of them are in the file of refused rows.
_REASONS = 12
Bar = tuple[Callable[[int], None], Callable[["Report"], None]]


@contextlib.contextmanager
def progress_bar(file: Path) -> Iterator[Bar]:
    """Gives two callbacks: bytes read so far, and the report so far."""
    size = file.stat().st_size if file.is_file() else None
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(file.name, total=size, told="")

        def advanced(position: int) -> None:
            progress.update(task, completed=position)

        def progressed(report: Report) -> None:
            elapsed = progress.tasks[0].elapsed or 1e-9
            told = f"{report.events:,} events, {report.events / elapsed:,.0f}/s, {report.refused_rows:,} rows refused"
            progress.update(task, told=told)

        yield advanced, progressed


def show(report: Report, refused: Path, seconds: float, *, dry_run: bool) -> None:
    """The closing table. Rows always add up: published + repeated + refused."""
    done = "would publish" if dry_run else "published"
    kinds = ", ".join(f"{count:,} {name}" for name, count in report.by_kind.most_common())
    out.print(f"{report.rows:,} rows read in {seconds:.1f} s ({report.rows / max(seconds, 1e-9):,.0f} rows/s)")
    out.print(f"{done} {report.events:,} events from {report.published_rows:,} rows{': ' + kinds if kinds else ''}")
    if report.repeated_rows:
        out.print(f"{report.repeated_rows:,} rows repeat a product that came before")
    if not report.refused_rows:
        return
    table = Table("refused rows", "field", "reason", "e.g. rows", box=None)
    for (field, reason), count in report.reasons.most_common(_REASONS):
        numbers = ", ".join(str(number) for number in report.samples[field, reason])
        table.add_row(f"{count:,}", field, reason, numbers)
    out.print(table)
    more = len(report.reasons) - _REASONS
    if more > 0:
        out.print(f"and {more} more reasons")
    out.print(f"all {report.refused_rows:,} refused rows, with the reason: {refused}")
