"""`./rapport test`: checks first, then the tests, quick tiers before slow ones."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.output import err
from deploy.local.settings import REPOSITORY

# pytest's exit code when it found no test.
NONE_FOUND = 5


class Tier(StrEnum):
    """In the order of running."""

    UNIT = "unit"
    CONTRACT = "contract"
    INTEGRATION = "integration"
    E2E = "e2e"
    CHAOS = "chaos"


def run(
    tiers: Annotated[list[Tier] | None, typer.Argument(help="Which tiers; none: all of them.")] = None,
    checks: Annotated[bool, typer.Option(help="Run ruff and mypy first.")] = True,
    select: Annotated[str | None, typer.Option("-k", help="Only tests whose names match, as in pytest -k.")] = None,
    stop: Annotated[bool, typer.Option("--stop", "-x", help="End at the first failure.")] = False,
) -> None:
    """Run the checks and the tests, tier by tier. Exit code: pytest's, or 1 if only a check failed."""
    failed = _run_checks() if checks else []
    if failed and stop:
        raise typer.Exit(1)
    wanted = [tier for tier in Tier if tier in (tiers or list(Tier))]
    code = _run_pytest(wanted, select, stop=stop)
    if code == NONE_FOUND:
        err.print(f"rapport: no test was found in {', '.join(wanted)}: that is no pass.")
    if failed:
        err.print(f"rapport: {' and '.join(failed)} failed, see above.")
    raise typer.Exit(code or (1 if failed else 0))


def _run_checks() -> list[str]:
    """Names of the checks that failed."""
    checks = {
        "ruff": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy", "shared", "services", "deploy", "tests"],
    }
    failed = []
    for name, arguments in checks.items():
        err.print(f"rapport: {name}", style="bold")
        if subprocess.run([sys.executable, "-m", *arguments], cwd=REPOSITORY, check=False).returncode != 0:
            failed.append(name)
    return failed


def _run_pytest(tiers: list[Tier], select: str | None, *, stop: bool) -> int:
    # One run for all tiers, in this order: they share the real Kafka and Redis, and there is one summary at the end.
    folders = [str(folder) for tier in tiers if (folder := REPOSITORY / "tests" / tier).is_dir()]
    if not folders:
        return NONE_FOUND
    options = (["-k", select] if select else []) + (["--exitfirst"] if stop else [])
    command = [sys.executable, "-m", "pytest", *options, *map(_relative, folders)]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode


def _relative(folder: str) -> str:
    return str(Path(folder).relative_to(REPOSITORY))
