"""How commands talk: one console for answers, one for remarks, one way to say what failed."""

from __future__ import annotations

from rich.console import Console

from rapport.ops.errors import RapportError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def complain(error: RapportError) -> None:
    """Say what failed and the fix, in one line without colours or wrapping, so that it can be searched for."""
    where = f"{error.field}: " if error.field else ""
    fix = f". Fix: {error.fix}" if error.fix else ""
    # What a library says may have lines of its own.
    line = " ".join(f"rapport: {where}{error.message}{fix}".split())
    err.print(line, markup=False, soft_wrap=True)
