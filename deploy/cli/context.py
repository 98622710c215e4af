"""What every command about the local stack begins with."""

from __future__ import annotations

from deploy.local.home import Home
from deploy.local.record import Record
from deploy.local.settings import LocalSettings
from deploy.local.stack import running
from rapport.ops.errors import StateConflict


def settings_and_home() -> tuple[LocalSettings, Home]:
    """The launcher's settings, and the state folder that they name."""
    settings = LocalSettings.load()
    return settings, Home(settings.home.expanduser().resolve())


def require_running(home: Home) -> Record:
    """What runs. Raises `StateConflict` if nothing does."""
    record = running(home)
    if record is None:
        raise StateConflict(f"nothing runs from {home.folder}", fix="./rapport up")
    return record
